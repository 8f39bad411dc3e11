"""Desk, decision and leaderboard show what is known as known, refuse rubbish in a sentence, and keep text inert."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from arena.boards import BoardOffice, BoardState
from arena.seasons.conduct import DeskConduct
from arena.seasons.forecast_board import CurvePoint
from arena.seasons.portrait import DeskPortrait, RoleRow
from arena.seasons.reporter import pair_odds
from arena.seasons.snapshot import FloorSnapshot, PairOdds
from arena.settings import Settings
from arena.traces import Answer, Spoken, Trace, TraceArchive, Transcripts
from arena.traces.transcripts import Message
from arena.ui.components.markup import element
from arena.ui.components.tables import position_list, trade_list
from arena.ui.decision.page import decision_page, title
from arena.ui.decision.steps import decision_steps
from arena.ui.decision.timing import timing_of
from arena.ui.desk.charts import desk_equity, drawdown_chart, exposure_chart
from arena.ui.desk.choice import desk_links, desk_of
from arena.ui.desk.panels import (
    desk_calibration,
    desk_decisions,
    desk_facts,
    desk_head,
    desk_positions,
    fingerprint,
    lessons,
    make_up,
)
from arena.ui.leaderboard.odds import odds_map, shade
from arena.ui.leaderboard.panels import Panels
from arena.ui.leaderboard.scope import asked_by, filters, of_season
from evals.leaderboard import Board
from tests.arena.conftest import NAMES
from tests.arena.played import play
from trading.domain import IntentEdit
from trading.domain.errors import RequestError
from trading.storage.runs import RunFolder

PAYLOADS = ('<img src=x onerror="p()">', "<script>p()</script>", "[x](javascript:p())", "\x1b[31mred", "' onclick='p()")
VIEWS: tuple[Callable[[FloorSnapshot, Any], str], ...] = (
    desk_head, desk_links, desk_facts, desk_positions, fingerprint, desk_calibration, make_up, lessons, drawdown_chart,
    exposure_chart,
)  # fmt: skip


@pytest.fixture
def told(snapshot: FloorSnapshot) -> FloorSnapshot:
    """The sample floor with portraits, odds, limits and exits."""
    size = len(snapshot.desks)
    odds = tuple(tuple(None if r == c else 0.5 + 0.06 * (c - r) for c in range(size)) for r in range(size))
    desks = tuple(
        replace(desk, positions=tuple(replace(row, exits=(("stop", 90.5), ("trail", 2.5))) for row in desk.positions))
        for desk in snapshot.desks
    )
    portraits = tuple(_portrait(snapshot, desk.name, place) for place, desk in enumerate(snapshot.desks))
    return replace(
        snapshot,
        desks=desks,
        odds=PairOdds(names=tuple(desk.name for desk in desks), ahead=odds, resamples=2_000),
        portraits=portraits,
        limits=(("desk_drawdown", "0.1"), ("max_leverage", "3")),
    )


def _portrait(snapshot: FloorSnapshot, name: str, place: int) -> DeskPortrait:
    marks = snapshot.desks[0].curve.ts_ms
    return DeskPortrait(
        desk=name,
        ts_ms=marks,
        gross=tuple(0.5 for _ in marks),
        net=tuple(-0.2 for _ in marks),
        holding_h=4.0 + place,
        in_market=0.4,
        long_share=0.6,
        mean_gross=0.5,
        changes_per_day=3.0,
        order_size=0.1,
        confidence=None if place == 0 else 0.6,
        latency_ms_p50=12.0,
        latency_ms_p95=30.0,
        tokens_in=0,
        tokens_out=0,
        calibration=(CurvePoint(said=0.5, rose=0.52, rose_ci95=(0.4, 0.6), count=100),),
        limits_hit=(("max_order_value", 3),),
        roles=(
            RoleRow(
                role="risk", model=f"house/{name}", prompt_sha256="ab" * 32, calls=4, failed=0, tokens_in=0,
                tokens_out=0, usd=0.0,
            ),
        ),
        reflections=1,
        lessons=((marks[-1], "Look at funding first."),),
    )  # fmt: skip


# -- desk ------------------------------------------------------------------------------------------------------------


def test_the_address_names_the_desk_and_without_one_the_leader_is_shown(told: FloorSnapshot) -> None:
    leader = desk_of(told, {})
    assert leader is not None
    assert leader.rank == min(desk.rank for desk in told.desks)
    chosen = desk_of(told, {"desk": "momentum"})
    assert chosen is not None
    assert chosen.name == "momentum"
    assert desk_links(told, {"desk": "momentum"}).count('aria-current="true"') == 1
    assert desk_links(told, {}).count("<a ") == len(told.desks)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("address", [{"desk": "nobody"}, {"desk": PAYLOADS[0]}, {"desk": "x" * 5_000}, {"dsk": "1"}])
def test_a_strange_address_is_answered_in_words(told: FloorSnapshot, view: Any, address: dict[str, str]) -> None:
    shown = view(told, address)
    assert "<img" not in shown
    assert "nan" not in shown.lower().replace("finance", "")
    assert "Traceback" not in shown


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_is_invented_before_the_first_round(empty_snapshot: FloorSnapshot, view: Any) -> None:
    shown = view(empty_snapshot, {"desk": "momentum"})
    assert "nan" not in shown.lower()
    bare = replace(empty_snapshot, desks=())
    assert "nan" not in view(bare, {}).lower()


def test_facts_habits_and_exits_of_a_desk(told: FloorSnapshot) -> None:
    at = {"desk": "momentum"}
    assert "of 8; beats" in desk_facts(told, at)
    assert "stop 90.5" in desk_positions(told, at)
    assert "trail 2.5" in desk_positions(told, at)
    habits = fingerprint(told, at)
    assert "Holding time" in habits
    assert "max_order_value 3×" in habits
    assert "abababababab" in make_up(told, at)
    assert "max_leverage" in make_up(told, at)
    assert "0 of 1 bins" in desk_calibration(told, at)
    assert "Look at funding first." in lessons(told, at)
    assert "may only reduce" in drawdown_chart(told, at)
    assert "net, now \u22120.20×" in exposure_chart(told, at)
    assert "n/a" in fingerprint(told, {"desk": told.portraits[0].desk}), "a confidence that was never stated"


def test_the_equity_of_a_desk_is_drawn_alone(told: FloorSnapshot) -> None:
    figure = desk_equity(told, {"desk": "momentum"}, "All", "%")
    assert '"name":"momentum (rules)"' in figure
    assert "meanrev" not in figure
    assert "momentum" not in desk_equity(told, {"desk": "nobody"}, "All", "%")


def test_the_arena_leads_to_desks_and_decisions_and_shows_exits(told: FloorSnapshot) -> None:
    trades = trade_list(told)
    assert 'href="/decision?id=demo-300-0"' in trades
    assert 'href="/desk?desk=' in trades
    held = position_list(told)
    assert "Exit plan: stop 90.5" in held
    bare = tuple(
        replace(desk, positions=tuple(replace(row, exits=()) for row in desk.positions)) for desk in told.desks
    )
    assert "none on the book" in position_list(replace(told, desks=bare))


# -- leaderboard -----------------------------------------------------------------------------------------------------


def test_filters_hide_desks_and_change_no_number(told: FloorSnapshot) -> None:
    mixed = replace(told, desks=(replace(told.desks[0], kind="llm"), *told.desks[1:]))
    assert len(of_season(mixed, asked_by({"desks": "models"})).desks) == 1
    assert len(of_season(mixed, asked_by({"desks": "rules"})).desks) == len(told.desks) - 1
    assert of_season(mixed, asked_by({"desks": PAYLOADS[1]})) == mixed
    kept = of_season(mixed, asked_by({"desks": "models"})).desks[0]
    assert (kept.rank, kept.return_ci95) == (mixed.desks[0].rank, mixed.desks[0].return_ci95)
    shown = filters(mixed, {"of": "all", "desks": "rules"})
    assert shown.count('aria-current="true"') == 2
    assert 'href="/leaderboard?of=all&amp;desks=models"' in shown


def test_the_map_of_pairs_prints_every_number_and_both_halves_agree(told: FloorSnapshot) -> None:
    shown = odds_map(told)
    assert shown.count("tf-rk-self") == len(NAMES)
    assert shown.count("tf-rk-cell") == len(NAMES) * (len(NAMES) - 1)
    assert shade(0.99) == "p3"
    assert shade(0.5) == "0"
    assert shade(0.01) == "n3"
    assert "Not known yet" in odds_map(replace(told, odds=None))
    nothing = (
        PairOdds(names=told.odds.names, ahead=tuple((None,) * 8 for _ in range(8)), resamples=0) if told.odds else None
    )
    assert "Too few rounds" in odds_map(replace(told, odds=nothing))


def test_odds_come_from_the_joint_draws() -> None:
    import numpy as np

    growth = np.array([[0.1, 0.0, 0.0], [0.2, 0.3, 0.3], [0.1, 0.0, 0.0], [0.5, 0.1, 0.1]])
    odds = pair_odds(("a", "b", "c"), growth)
    assert odds.ahead[0][1] == 0.75
    assert odds.ahead[1][0] == 0.25
    assert odds.ahead[1][2] == 0.5
    assert odds.ahead[0][0] is None
    broken = pair_odds(("a", "b"), np.full((10, 2), np.nan))
    assert broken.ahead[0][1] is None
    assert pair_odds((), np.empty((0, 0))).ahead == ()


class Office:
    """An office that says what a test wants it to say."""

    def __init__(self, state: BoardState) -> None:
        self.state = state

    def latest(self) -> BoardState:
        return self.state


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (BoardState(is_computing=True), "All runs of the house are read"),
        (BoardState(trouble="<b>no</b>"), "&lt;b&gt;no"),
        (
            BoardState(
                board=Board(as_of=None, kinds=(), trials=0, unit_ms=1, entries=(), pairs=(), runs=()), age_s=5.0
            ),
            "takes part",
        ),
    ],
)
def test_the_board_of_all_seasons_says_how_it_stands(told: FloorSnapshot, state: BoardState, words: str) -> None:
    panels: Any = Panels(Office(state))  # type: ignore[arg-type]
    at = {"of": "all", "desks": "models"}
    assert words in panels.table(told, at)
    for panel in (panels.head, panels.pairs, panels.says, panels.how):
        assert "nan" not in panel(told, at).lower()
    assert "/api/v1/leaderboard?of=all&amp;format=csv" in panels.head(told, at)


def test_a_board_is_computed_beside_and_again_when_runs_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arena.boards.LOOK_EVERY_S", 0.0)
    asked: list[int] = []

    def compute(_: Settings) -> Board:
        asked.append(1)
        if len(asked) == 2:
            raise RequestError("the folder is damaged")
        return Board(as_of=None, kinds=(), trials=len(asked), unit_ms=1, entries=(), pairs=(), runs=())

    office = BoardOffice(Settings.load({"home": tmp_path}), compute)
    first = _until(office, lambda state: state.board is not None)
    assert first.board is not None
    assert first.age_s is not None
    assert first.board.trials == 1
    for _ in range(5):
        office.latest()
    assert len(asked) == 1, "nothing changed"
    (tmp_path / "runs" / "new-1").mkdir(parents=True)
    failed = _until(office, lambda state: state.trouble is not None)
    assert failed.board == first.board, "the last good board stays"
    (tmp_path / "restatements.jsonl").write_bytes(b"")
    again = _until(office, lambda state: state.board is not None and state.board.trials == 3)
    assert again.trouble is None


def _until(office: BoardOffice, true: Callable[[BoardState], bool]) -> BoardState:
    import time

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        state = office.latest()
        if true(state) and not state.is_computing:
            return state
        time.sleep(0.01)
    raise AssertionError(f"it did not happen in time: {office.latest()}")


# -- decision --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return play(tmp_path_factory.mktemp("home"))


@pytest.fixture
def trace(run: RunFolder) -> Trace:
    archive = TraceArchive(run.path.parent.parent)
    entries, _ = archive.newest(run.run_id, "random", 50)
    return archive.trace(run.run_id, next(one for one in reversed(entries) if one.action).decision_id)


def test_a_decision_is_shown_from_its_market_view_to_its_outcome(
    run: RunFolder, trace: Trace, snapshot: FloorSnapshot
) -> None:
    archive = TraceArchive(run.path.parent.parent, Transcripts())
    shown = decision_page(archive, replace(snapshot, run_id=run.run_id), {"id": trace.decision_id})
    places = [shown.index(f"<h3>{name}") for name in ("Market view", "Analyst and forecaster", "Risk", "Executor")]
    assert places == sorted(places)
    for words in ("Gate", "Order", "Outcome", "6\u00a0h later", "One decision says nothing", trace.hash[:16]):
        assert words in shown
    assert "on record by their hash alone" in shown
    assert f"/api/v1/decisions/{trace.decision_id}/words?run={run.run_id}" in shown
    assert "Add to the prompt lab" in shown
    listed = desk_decisions(
        archive, replace(snapshot, run_id=run.run_id, desks=(replace(snapshot.desks[0], name="random"),)), {}
    )
    assert f'href="/decision?id={trace.decision_id}"' in listed


@pytest.mark.parametrize("asked", ["", "d-unknown", PAYLOADS[0], "../../x", "x" * 5_000])
def test_a_decision_that_is_not_there_is_told(run: RunFolder, snapshot: FloorSnapshot, asked: str) -> None:
    archive = TraceArchive(run.path.parent.parent)
    for run_id in (run.run_id, "no-such-run", PAYLOADS[1]):
        shown = decision_page(archive, snapshot, {"id": asked, "run": run_id})
        assert ("Which decision?" in shown) if not asked else ("not on record here" in shown)
        assert "<img" not in shown
        assert "<script" not in shown


def test_text_of_models_is_inert_on_the_decision_page(trace: Trace) -> None:
    hostile = " ".join(PAYLOADS)
    words = {
        call.cassette_key: Spoken(messages=(Message(role="user", text=hostile),), answer=hostile)
        for call in trace.calls
    }
    edit = IntentEdit(leg=1, instrument=hostile, name=hostile, old=hostile, new=hostile)
    poisoned = replace(
        trace,
        desk=hostile,
        rationale=hostile,
        notes=tuple((role, hostile) for role, _ in trace.notes),
        answers=(Answer(approved=True, by=hostile, note=hostile, at_ms=0, edits=(edit,)),),
        dissent=(("risk, x", hostile, hostile),),
        tools=tuple(replace(tool, tool=hostile, arguments_json=hostile, outcome=hostile) for tool in trace.tools),
        legs=tuple(replace(leg, instrument=hostile, message=hostile, reason=hostile) for leg in trace.legs),
        orders=tuple(replace(order, instrument=hostile, origin=hostile) for order in trace.orders),
    )
    shown = decision_steps(poisoned, words, 3) + element("h2", title(poisoned))
    assert "<img" not in shown
    assert "<script" not in shown
    assert "\x1b" not in shown
    assert "' onclick='" not in shown


def test_an_order_that_was_worked_is_one_step_of_a_decision(trace: Trace) -> None:
    order = trace.orders[0]
    parts = tuple(
        replace(order, order_id=f"o-part-{number}", parent_id="o-<img>", sent_ms=order.sent_ms + 60_000 * number)
        for number in range(120)
    )
    legs = tuple(replace(leg, worked="twap over 4h") for leg in trace.legs)
    shown = decision_steps(replace(trace, orders=parts, legs=legs), {}, 3)
    assert shown.count("Order in parts") == 1
    assert "120\N{NO-BREAK SPACE}parts left for the venue" in shown
    assert "o-part-" not in shown
    assert "<img" not in shown
    assert "twap over 4h" in shown
    idle = replace(trace, orders=tuple(replace(part, fills=()) for part in parts))
    assert "Nothing of it is filled." in decision_steps(idle, {}, 3)


def test_roles_wait_for_those_before_them_and_the_axis_holds_all(trace: Trace) -> None:
    timing = timing_of(trace)
    assert timing.roles["analyst"].begin_ms == timing.roles["forecaster"].begin_ms == 0
    risk, executor = timing.roles["risk"], timing.roles["executor"]
    together = max(timing.roles[role].length_ms for role in ("analyst", "forecaster"))
    assert risk.begin_ms == pytest.approx(together)
    assert executor.begin_ms == pytest.approx(risk.begin_ms + risk.length_ms)
    for span in (*timing.roles.values(), *timing.orders.values()):
        assert span.begin_ms + span.length_ms <= timing.axis_ms + 1e-9
    unmeasured = replace(trace, latency_ms=None, calls=tuple(replace(call, latency_ms=None) for call in trace.calls))
    assert timing_of(unmeasured).roles == {}
    assert "n/a" in decision_steps(unmeasured, {}, 1)


def test_a_desk_that_never_said_how_sure_it_is_has_no_confidence() -> None:
    assert DeskConduct(models={}, prompts={}).confidences == []
