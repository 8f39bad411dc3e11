"""The decision page: everything on record of one decision. Cards, tables and lists of decisions lead here."""

from functools import partial

from arena.traces import TraceArchive
from arena.ui.decision.page import decision_page
from arena.ui.live import LivePage
from arena.ui.pages import Page


def build(page: LivePage) -> None:
    """One panel that follows the page's address."""
    services = page.services
    archive = TraceArchive(services.home, services.transcripts)
    page.addressed_html(
        partial(decision_page, archive), elem_id="tf-decision", waiting="The decision appears with the first round."
    )


PAGE = Page(title="Decision", path="decision", order=90, build=build, is_listed=False)
