"""What the leaderboard is asked to show: ``?of=season|all`` and ``&desks=all|models|rules``, as links."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from arena.seasons.snapshot import FloorSnapshot
from arena.ui.components.markup import Html, element
from arena.ui.live import Address
from evals.leaderboard import Board

OF = (("season", "This season"), ("all", "All seasons"))
DESKS = (("all", "All desks"), ("models", "Language models"), ("rules", "Rule-based"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A scope and a filter, both known words."""

    of: str = "season"
    desks: str = "all"

    def keeps(self, kind: str) -> bool:
        """Whether a desk of that kind is shown."""
        return self.desks == "all" or (kind == "llm") == (self.desks == "models")

    @property
    def query(self) -> str:
        """The same as an address has it."""
        return urlencode({"of": self.of, "desks": self.desks})


def asked_by(address: Address) -> Asked:
    """What an address asks for; what it does not name in a known word is taken for the first."""
    known = {"of": dict(OF), "desks": dict(DESKS)}
    found = {name: address[name] for name, words in known.items() if address.get(name) in words}
    return Asked(**found)


def filters(_: FloorSnapshot, address: Address) -> Html:
    """The two switches, as links that can be sent to others."""
    asked = asked_by(address)
    return element(
        "div",
        _switch("Seasons", [(text, replace(asked, of=word)) for word, text in OF], asked),
        _switch("Desks", [(text, replace(asked, desks=word)) for word, text in DESKS], asked),
        class_="tf tf-filters",
    )


def of_season(snapshot: FloorSnapshot, asked: Asked) -> FloorSnapshot:
    """The snapshot with the desks that are asked for; ranks and intervals stay those among all."""
    return replace(snapshot, desks=tuple(desk for desk in snapshot.desks if asked.keeps(desk.kind)))


def of_board(board: Board, asked: Asked) -> Board:
    """The same for a board."""
    entries = tuple(entry for entry in board.entries if asked.keeps(entry.kind))
    names = {entry.desk for entry in entries}
    pairs = tuple(pair for pair in board.pairs if {pair.first, pair.second} <= names)
    return replace(board, entries=entries, pairs=pairs)


def _switch(name: str, options: list[tuple[str, Asked]], asked: Asked) -> Html:
    links = [
        element(
            "a",
            text,
            href=f"/leaderboard?{one.query}",
            aria_current="true" if one == asked else None,
            data_address=True,
            data_key=f"{name}-{text}",
        )
        for text, one in options
    ]
    return element("nav", *links, class_="tf-switch", aria_label=name)
