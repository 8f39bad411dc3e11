"""The decision page: everything on record of one decision, and what came of asking it again. Many pages lead here."""

from functools import partial

from arena.replay import Replayer
from arena.traces import TraceArchive
from arena.ui.decision.page import decision_page
from arena.ui.decision.replay import replay_panel
from arena.ui.live import Address, LivePage
from arena.ui.pages import Page


def build(page: LivePage) -> None:
    """Panels that follow the page's address."""
    services = page.services
    archive = TraceArchive(services.home, services.transcripts)
    replayer = Replayer(services.settings, services.jobs)

    def replayed(address: Address, now_ms: int) -> str:
        snapshot = services.floor.snapshot()
        run_id = address.get("run") or ("" if snapshot is None else snapshot.run_id)
        return replay_panel(replayer, run_id, address.get("id", ""))

    page.housed_html(replayed, edition=lambda: services.jobs.version, elem_id="tf-replay")
    page.addressed_html(
        partial(decision_page, archive), elem_id="tf-decision", waiting="The decision appears with the first round."
    )


PAGE = Page(title="Decision", path="decision", order=90, build=build, is_listed=False)
