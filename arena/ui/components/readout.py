"""What the standings can say: sentences that hold by intervals and ranks, and the facts they rest on."""

from arena.seasons.snapshot import DeskCard, FloorSnapshot
from arena.ui.components.desk_card import ranked
from arena.ui.components.markup import Html, element
from arena.ui.figures import UNKNOWN, number, percent, span


def readout(snapshot: FloorSnapshot) -> Html:
    """What the table can say, in sentences, with the facts they rest on."""
    facts: list[tuple[str, str]] = []
    if snapshot.benchmark is not None and snapshot.benchmark.equity:
        held = snapshot.benchmark.equity[-1] / snapshot.benchmark.equity[0] - 1
        facts.append((snapshot.benchmark_name, percent(held)))
    if snapshot.luck is not None and snapshot.luck.ts_ms:
        facts.append(("Luck, 5 to 95\N{NO-BREAK SPACE}%", span((snapshot.luck.q05[-1], snapshot.luck.q95[-1]))))
        facts.append(("Random traders behind it", number(snapshot.luck_traders, 0)))
    facts.append(("Desks not separable from the best", _tied_with_best(snapshot)))
    lines = [element("p", sentence) for sentence in sentences(snapshot)]
    listed = [part for term, value in facts for part in (element("dt", term), element("dd", value))]
    return element("div", *lines, element("dl", *listed), class_="tf tf-readout")


def sentences(snapshot: FloorSnapshot) -> list[str]:
    """Plain statements that hold by the intervals and ranks of this snapshot, and no more than they allow."""
    order = ranked(snapshot.desks)
    if not order:
        return ["Nothing has been measured yet."]
    measured = [desk for desk in order if desk.return_ci95 is not None]
    if not measured:
        return ["Too few rounds for an interval: no desk's return can be told from chance yet."]
    gaining = [desk.name for desk in measured if desk.return_ci95 is not None and desk.return_ci95[0] > 0]
    losing = [desk.name for desk in measured if desk.return_ci95 is not None and desk.return_ci95[1] < 0]
    said = [_sided(gaining, "above zero"), _sided(losing, "below zero")]
    if not gaining and not losing:
        said = ["Every interval contains zero: no desk's return can be told from chance yet."]
    elif len(gaining) + len(losing) < len(measured):
        said.append("For the others the sign of the return is not known.")
    return [" ".join(part for part in said if part), _order(order), *_luck(order[0], len(order))]


def _sided(names: list[str], where: str) -> str:
    if not names:
        return ""
    return f"{_listed(names)} {'is' if len(names) == 1 else 'are'} {where} with 95\N{NO-BREAK SPACE}% confidence."


def _order(order: list[DeskCard]) -> str:
    leader = order[0]
    if leader.tied_with:
        return (
            f"{leader.name} leads, but not separably from {_listed(sorted(leader.tied_with))}: more rounds would tell."
        )
    return (
        f"{leader.name} is separably ahead of every other desk." if len(order) > 1 else f"{leader.name} trades alone."
    )


def _luck(leader: DeskCard, desks: int) -> list[str]:
    if leader.luck_percentile is None:
        return []
    beaten = round(leader.luck_percentile * 100)
    chance = 1 - leader.luck_percentile**desks
    return [
        f"{leader.name} beats {beaten} of 100 random traders of the same turnover and exposure. With {desks} desks on "
        f"the board, the best of {desks} random traders does that well about {round(chance * 10)} times in 10."
    ]


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _tied_with_best(snapshot: FloorSnapshot) -> str:
    if not snapshot.desks:
        return UNKNOWN
    return f"{len(ranked(snapshot.desks)[0].tied_with)} of {len(snapshot.desks) - 1}"
