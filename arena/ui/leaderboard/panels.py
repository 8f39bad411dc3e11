"""The panels of the leaderboard: head with downloads, table, pairs, sentences, and how ranks are made."""

from collections.abc import Callable

from arena.boards import BoardOffice, BoardState
from arena.seasons.snapshot import FloorSnapshot
from arena.ui.board.heat_map import heat_map
from arena.ui.board.page import how_it_ranks, sayings
from arena.ui.board.standings import standings
from arena.ui.components.desk_card import desk_href
from arena.ui.components.header import market_note
from arena.ui.components.markup import Html, element
from arena.ui.components.readout import readout
from arena.ui.components.standings import sample_line, standings_table
from arena.ui.components.states import empty, skeleton
from arena.ui.figures import count, duration, number
from arena.ui.leaderboard.odds import odds_map
from arena.ui.leaderboard.scope import Asked, asked_by, of_board, of_season
from arena.ui.live import Address


class Panels:
    """The panels over the floor and the office that keeps the board of all seasons."""

    def __init__(self, office: BoardOffice) -> None:
        self._office = office

    def head(self, snapshot: FloorSnapshot, address: Address) -> Html:
        """What it rests on, and the same as files."""
        asked = asked_by(address)
        caption = sample_line(snapshot) if asked.of == "season" else _sample(self._office.latest())
        market = market_note(snapshot.market) if asked.of == "season" else ""
        return element(
            "div",
            element("h2", "Standings" if asked.of == "season" else "Leaderboard of all seasons"),
            element("span", caption, class_="tf-caption"),
            element("span", market, class_="tf-caption tf-market") if market else None,
            element("span", *(_file(form, asked) for form in ("csv", "json")), class_="tf-files"),
            class_="tf tf-heading",
        )

    def table(self, snapshot: FloorSnapshot, address: Address) -> Html:
        """One row a desk, the forest plot inside it."""
        asked = asked_by(address)
        if asked.of == "season":
            chosen = of_season(snapshot, asked)
            return _nobody(asked) if snapshot.desks and not chosen.desks else standings_table(chosen)
        state = self._office.latest()
        if state.board is None:
            return _waiting(state)
        board = of_board(state.board, asked)
        if not board.entries:
            return _nobody(asked)
        return element("div", standings(board, _where(snapshot)), class_="tf tf-board")

    def pairs(self, snapshot: FloorSnapshot, address: Address) -> Html:
        """Every pair of desks."""
        asked = asked_by(address)
        if asked.of == "season":
            return odds_map(of_season(snapshot, asked))
        board = self._office.latest().board
        found = None if board is None else heat_map(of_board(board, asked))
        if found is None:
            return empty("No pair yet", "Two desks need a ranked sample each before they can be compared.")
        note = element(
            "p", "Row minus column, points of log growth; every pair, corrected by Holm.", class_="tf-caption"
        )
        return element("div", found, element("div", note, class_="tf-rk-body"), class_="tf tf-board tf-risk")

    def says(self, snapshot: FloorSnapshot, address: Address) -> Html:
        """What follows from it, in sentences."""
        asked = asked_by(address)
        if asked.of == "season":
            return readout(snapshot)
        board = self._office.latest().board
        lines = ["Nothing has been computed yet."] if board is None else sayings(board)
        return element("div", *(element("p", line) for line in lines), class_="tf tf-readout")

    def how(self, _: FloorSnapshot, address: Address) -> Html:
        """How ranks are made."""
        board = self._office.latest().board if asked_by(address).of == "all" else None
        lines = _METHOD if board is None else how_it_ranks(board)
        return element("div", *(element("p", line) for line in lines), class_="tf tf-readout tf-method")


_METHOD = (
    "A rank is a range: two desks share ranks until a paired comparison of their returns tells them apart.",
    "A return is coloured only where its 95\N{NO-BREAK SPACE}% interval leaves out zero.",
    "Luck pct. is the share of random traders, of the same turnover and exposure, that a desk beats.",
    "Brier skill compares a desk's forecasts with saying 50\N{NO-BREAK SPACE}% each time; above zero is better.",
    "The filter hides desks and changes no number: ranks and intervals stay those among all.",
    "Rule-based desks call no language model. They are baselines.",
)


def _sample(state: BoardState) -> str:
    if state.board is None:
        return "being computed" if state.is_computing else "not computed"
    board, age = state.board, 0.0 if state.age_s is None else state.age_s
    longest = max((entry.days for entry in board.entries), default=0.0)
    runs, tried = count(len(board.runs), "run", "runs"), count(board.trials, "configuration", "configurations")
    now = ", being computed again" if state.is_computing else ""
    minutes = "less than a minute" if age < 60 else duration(max(2, age // 60) * 60_000)
    return f"{number(longest, 0)} days at most · {runs} · {tried} tried · computed {minutes} ago{now}"


def _waiting(state: BoardState) -> Html:
    if state.trouble is not None:
        return empty("The leaderboard could not be computed", state.trouble)
    return skeleton("All runs of the house are read and compared. This takes from seconds to minutes.")


def _where(snapshot: FloorSnapshot) -> Callable[[str], str]:
    """A desk of the floor has a page; others are looked up in their runs."""
    here = {desk.name for desk in snapshot.desks}
    return lambda name: desk_href(name) if name in here else "/api/v1/leaderboard?of=all"


def _nobody(asked: Asked) -> Html:
    who = "language model" if asked.desks == "models" else "rule-based desk"
    return empty(f"No {who} takes part", "Choose all desks, or run a season that has one.")


def _file(form: str, asked: Asked) -> Html:
    to = f"/api/v1/leaderboard?of={asked.of}&format={form}"
    return element("a", form.upper(), href=to, download=f"leaderboard-{asked.of}.{form}", class_="tf-link-button")
