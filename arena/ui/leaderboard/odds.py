"""How often the row ended above the column, pair by pair: seven steps, each with its number."""

from arena.seasons.snapshot import FloorSnapshot
from arena.ui.components.desk_card import ranked
from arena.ui.components.markup import Html, element
from arena.ui.components.states import empty
from arena.ui.figures import number

_STEPS = ((0.95, "p3", ">95"), (0.8, "p2", ">80"), (0.6, "p1", ">60"), (0.4, "0", "toss-up"), (0.2, "n1", "<40"))
_LOW = ((0.05, "n2", "<20"), (0.0, "n3", "<5"))
LEGEND = tuple(reversed((*_STEPS, *_LOW)))


def odds_map(snapshot: FloorSnapshot) -> Html:
    """The map of the desks of the snapshot, in rank order."""
    odds = snapshot.odds
    shown = [desk for desk in ranked(snapshot.desks) if odds is not None and desk.name in odds.names]
    if odds is None or len(shown) < 2:
        return empty("Not known yet", "Pairs of desks are compared as soon as the season is scored.")
    place = {name: at for at, name in enumerate(odds.names)}
    if all(one is None for row in odds.ahead for one in row):
        return empty("Too few rounds", "Pairs are compared from 20 returns on.")
    heads = element("tr", element("th", ""), *(element("th", d.tag, scope="col", title=d.name) for d in shown))
    rows = [
        element(
            "tr",
            element("th", mine.tag, scope="row", title=mine.name),
            *(
                _cell(mine.name, other.name, odds.ahead[place[mine.name]][place[other.name]], same=mine is other)
                for other in shown
            ),
        )
        for mine in shown
    ]
    table = element("table", element("thead", heads), element("tbody", *rows), class_="tf-rk-heat")
    keys = [element("span", words, class_=f"tf-odds-key tf-rk-{shade}") for _, shade, words in LEGEND]
    said = f"Share of {number(odds.resamples, 0)} joint resamples of the season. Below 95 counts as a tie."
    return element(
        "div",
        element("div", table, class_="tf tf-scroll", tabindex="0", role="region", aria_label="Row ends above column"),
        element("p", *keys, class_="tf-odds-keys"),
        element("p", said, class_="tf-caption"),
        class_="tf tf-risk tf-odds",
    )


def shade(ahead: float) -> str:
    """The step of a share, by the name of its colour."""
    return next((name for edge, name, _ in (*_STEPS, *_LOW) if ahead > edge), "n3")


def _cell(mine: str, other: str, ahead: float | None, *, same: bool) -> Html:
    if same:
        return element("td", "", class_="tf-rk-self")
    if ahead is None:
        return element("td", "n/a", class_="tf-unknown")
    shown = min(99, max(1, round(ahead * 100)))
    said = f"{mine} ends above {other} in {shown} of 100"
    return element("td", f"{shown}", class_=f"tf-rk-cell tf-rk-{shade(ahead)}", title=said)
