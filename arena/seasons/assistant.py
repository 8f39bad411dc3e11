"""The floor's assistant: by rule, no LLM, from what the floor shows. It knows all desks and speaks for none.

What stands in square brackets is the id of the decision that a sentence is from.
"""

import re
from collections.abc import AsyncGenerator, Iterator, Sequence

from agents.talk import Said
from arena.seasons.heard import Done, Failed, Heard, Spoken, pieces
from arena.seasons.snapshot import DecisionCard, DeskCard, FloorSnapshot
from trading.domain.errors import RequestError
from trading.domain.instants import iso

INTRODUCTION = "The floor's assistant is rule-based, no LLM: it answers by key words, from what the floor shows."

_WHY = re.compile(r"\b(why|reasons?|explain|how come|what made|rationale|decid\w*|decision)\b", re.IGNORECASE)
_TRADES = re.compile(r"\b(trades?|traded|fills?|filled|bought|sold|buying|selling|orders?)\b", re.IGNORECASE)
_SAFETY = re.compile(r"\b(risk\w*|halt\w*|breakers?|drawdowns?|loss\w*|limits?|safe\w*|refus\w*)\b", re.IGNORECASE)
_NAMED = 3
_TRADES_SHOWN = 5


async def converse_with_floor(snapshot: FloorSnapshot | None, conversation: Sequence[Said]) -> AsyncGenerator[Heard]:
    """What is heard while the assistant answers the last message. Fails where there is no season yet."""
    if snapshot is None or not snapshot.desks:
        yield Failed(error=RequestError("the season has not begun, so there is nothing to tell yet; ask again soon"))
        return
    lines = [INTRODUCTION, *_answer(snapshot, conversation[-1].text if conversation else "")]
    text = "\n".join(lines)
    for piece in pieces(text):
        yield piece
    cited = tuple(card for card in snapshot.decisions if f"[{card.decision_id}]" in text)
    yield Done(spoken=Spoken(text=text, tokens_in=0, tokens_out=0, decisions=cited))


def _answer(snapshot: FloorSnapshot, question: str) -> Iterator[str]:
    named = [desk for desk in snapshot.desks if re.search(rf"\b{re.escape(desk.name)}\b", question, re.IGNORECASE)]
    if named:
        for desk in named[:_NAMED]:
            yield from _of_desk(snapshot, desk, explained=bool(_WHY.search(question)))
    elif _WHY.search(question):
        yield "Name a desk to hear its reasons, or open its chat. What was decided last:"
        yield from (_decided(card) for card in snapshot.decisions[:_NAMED])
    elif _TRADES.search(question):
        yield from _trades(snapshot)
    elif _SAFETY.search(question):
        yield from _safety(snapshot)
    else:
        yield from _standings(snapshot)


def _of_desk(snapshot: FloorSnapshot, desk: DeskCard, *, explained: bool) -> Iterator[str]:
    models = " + ".join(dict.fromkeys(model for _, model in desk.models))
    yield f"{desk.name} ({models}, {'rule-based' if desk.kind != 'llm' else 'language model'}): {_stands(desk)}."
    held = ", ".join(f"{row.quantity} {row.instrument}" for row in desk.positions)
    yield f"It holds {held or 'nothing'}; largest fall {desk.max_drawdown:.2%}; {desk.refused_intents} intents refused."
    mine = [card for card in snapshot.decisions if card.desk == desk.name]
    traded = [card for card in mine if card.status == "acted"]
    for card in (traded or mine)[:1] if explained else mine[:1]:
        yield _decided(card)
        if explained:
            yield from (f"{role.capitalize()}: {note}" for role, note in card.notes)
            yield from (f"Gate: {line.intent}: {line.ruling}. {line.message}".strip() for line in card.verdicts)


def _decided(card: DecisionCard) -> str:
    reason = card.rationale or card.abstain_reason or "no reason given"
    return f"{card.desk} at {iso(card.ts_ms)}: {card.status}. {reason} [{card.decision_id}]"


def _stands(desk: DeskCard) -> str:
    known = "" if desk.return_ci95 is None else f", 95 % {desk.return_ci95[0]:+.1%} to {desk.return_ci95[1]:+.1%}"
    rank = f"{desk.rank}" if desk.rank == desk.rank_last else f"{desk.rank} to {desk.rank_last}"
    return f"rank {rank}, equity {desk.equity:,.2f}, return {desk.total_return:+.2%}{known}"


def _standings(snapshot: FloorSnapshot) -> Iterator[str]:
    yield (
        f"Season {snapshot.season}, {snapshot.market} market, {snapshot.status}: round {snapshot.round_index} of "
        f"{snapshot.rounds}, as of {iso(snapshot.as_of_ms)}."
    )
    order = sorted(snapshot.desks, key=lambda desk: (desk.rank, desk.rank_last, -desk.total_return))
    yield from (f"{desk.name}: {_stands(desk)}." for desk in order)
    if order[0].tied_with:
        yield f"{order[0].name} leads, not separably from {', '.join(order[0].tied_with)}."


def _trades(snapshot: FloorSnapshot) -> Iterator[str]:
    newest = sorted(snapshot.trades, key=lambda trade: -trade.ts_ms)[:_TRADES_SHOWN]
    if not newest:
        yield "Nothing has been traded yet."
    for trade in newest:
        done = "bought" if trade.side == "buy" else "sold"
        what = f"{trade.quantity} {trade.instrument} at {trade.price:g}, fee {trade.fee:.2f}"
        yield f"{iso(trade.ts_ms)}: {trade.desk} {done} {what} [{trade.decision_id}]"


def _safety(snapshot: FloorSnapshot) -> Iterator[str]:
    yield f"Breaker: {snapshot.breaker}. {snapshot.halt_reason or 'Nothing is halted.'}"
    fallen = max(snapshot.desks, key=lambda desk: desk.max_drawdown)
    yield f"Largest fall from a peak: {fallen.name}, {fallen.max_drawdown:.2%}."
    refused = [f"{desk.name} {desk.refused_intents}" for desk in snapshot.desks if desk.refused_intents]
    yield f"Intents refused by the gate: {', '.join(refused) or 'none'}."
