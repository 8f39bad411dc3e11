"""From journal events to episodes: a fold, so that whatever is remembered can be derived from the record again."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from memory.episode import Episode, Expectation, episode_id
from memory.fence import clean
from memory.lots import Account, Lots
from memory.plans import contradiction
from memory.reflection import insight_text, reflect
from memory.state import State, regime_of, words_of
from trading.domain import Event, EventKind, round_nearest
from trading.domain.money import QUOTE_STEP

Place = Callable[[], tuple[int, str]]
"""Number and hash of the journal event that is being folded."""

Note = Callable[[Episode], None]

_OF_DECISION = frozenset(
    {EventKind.INTENDED, EventKind.RULED, EventKind.ORDERED, EventKind.WORK_STARTED, EventKind.WORK_ENDED}
)
_RATIONALE_CHARS = 260
_REASON_CHARS = 120


class Chronicle:
    """Every episode of a run, in order.

    ``desks`` are remembered, all without it. ``opened`` is called when an episode is complete as a decision, ``closed``
    when its outcome or the move of the market over ``horizon_ms`` is known.
    """

    def __init__(
        self,
        *,
        horizon_ms: int,
        place: Place,
        desks: frozenset[str] | None = None,
        opened: Note | None = None,
        closed: Note | None = None,
    ) -> None:
        self.horizon_ms = horizon_ms
        self.episodes: list[Episode] = []
        self.prices: dict[str, float] = {}
        self.now_ms = 0
        self.every_ms = 0
        self.lots: dict[tuple[str, str], Lots] = {}
        self.forecasts: dict[tuple[str, str], Expectation] = {}
        self._desks = desks
        self._place = place
        self._opened = opened or _ignore
        self._closed = closed or _ignore
        self._cost = 0.0
        self.states: dict[str, State | None] = {}
        self._round = 0
        self._drafts: dict[str, Episode] = {}
        self._reasons: dict[str, str] = {}
        self._rationale = ""
        self._by_id: dict[str, Episode] = {}
        self._of_order: dict[str, Episode] = {}
        self._due: deque[Episode] = deque()
        self._with_fill: set[str] = set()
        self._handlers: Mapping[EventKind, Callable[[Event], None]] = {
            EventKind.SEASON_OPENED: self._season,
            EventKind.ROUND_OPENED: self._round_opened,
            EventKind.STATE_NOTED: self._state,
            EventKind.DECIDED: self._decided,
            EventKind.INTENDED: self._intended,
            EventKind.RULED: self._ruled,
            EventKind.ORDERED: self._ordered,
            EventKind.WORK_STARTED: self._ordered,
            EventKind.FILLED: self._filled,
            EventKind.FUNDED: self._funded,
            EventKind.REFLECTED: self._reflected,
        }

    def apply(self, event: Event) -> None:
        """Take an event in."""
        if self._drafts and event.kind not in _OF_DECISION:
            self._complete()
        handler = self._handlers.get(event.kind)
        if handler is not None:
            handler(event)

    def finish(self) -> None:
        """Complete the decision that is still open, as the next event would."""
        if self._drafts:
            self._complete()

    def lots_of(self, desk: str) -> Iterable[tuple[str, Lots]]:
        """The open lots of a desk by instrument."""
        return ((symbol, lots) for (owner, symbol), lots in self.lots.items() if owner == desk and lots.queue)

    # -- what the market did -----------------------------------------------------------------------------------------

    def _season(self, event: Event) -> None:
        costs = event.payload["costs"]
        self._cost = (float(costs["taker_fee_bps"]) + float(costs["slippage_bps"])) / 10_000
        self.every_ms = event.payload["every_ms"]

    def _round_opened(self, event: Event) -> None:
        self.now_ms, self._round = event.ts_ms, event.payload["round"]
        self.prices = {symbol: float(price) for symbol, price in event.payload["prices"].items()}
        self.states = {}
        while self._due and self._due[0].decided_ms + self.horizon_ms <= event.ts_ms:
            self._measure(self._due.popleft(), event.ts_ms)

    def _state(self, event: Event) -> None:
        self.states = {
            symbol: None if state is None else tuple(state) for symbol, state in event.payload["states"].items()
        }

    def _measure(self, episode: Episode, ts_ms: int) -> None:
        """The move over the horizon, and with it the outcome of what opened no position."""
        episode.move = self.prices[episode.instrument] / episode.price - 1.0
        episode.moved_ms = ts_ms
        entered = episode.action == "enter" and episode.episode_id in self._with_fill
        if not entered and episode.net_return is None:
            side, cost = episode.side, self._counterfactual_cost(episode)
            kind = "missed" if episode.status == "acted" and episode.action == "enter" else "counterfactual"
            self._close(episode, ts_ms, kind, side * episode.move - cost, None)
        else:
            self._touch(episode)

    def _counterfactual_cost(self, episode: Episode) -> float:
        """Both ways for an entry, one way for leaving, nothing for keeping what there was."""
        if episode.status in ("held", "abstained"):
            return 0.0
        return self._cost if episode.action == "exit" else 2.0 * self._cost

    # -- what the desk did -------------------------------------------------------------------------------------------

    def _decided(self, event: Event) -> None:
        payload = event.payload
        desk = payload["desk"]
        if self._desks is not None and desk not in self._desks:
            return
        seq, event_hash = self._place()
        status = payload["status"]
        self._rationale = clean(payload["rationale"] or payload["abstain_reason"] or "", _RATIONALE_CHARS)
        self._reasons = {}
        expected = {row["instrument"]: _expectation(row) for row in payload["forecasts"]}
        for symbol, price in self.prices.items():
            state = self.states.get(symbol)
            if symbol in expected:
                self.forecasts[desk, symbol] = expected[symbol]
            lots = self.lots.get((desk, symbol))
            self._drafts[symbol] = Episode(
                episode_id=episode_id(event_hash, symbol),
                decision_id=event.decision_id,
                seq=seq,
                event_hash=event_hash,
                desk=desk,
                instrument=symbol,
                round_index=payload["round"],
                decided_ms=event.ts_ms,
                # What is not traded in a decision that trades something else is held.
                status="abstained" if status == "abstained" else "held",
                action="none",
                side=lots.side if lots else 0,
                state=state,
                regime=regime_of(state),
                price=price,
                text="",
                expected=expected.get(symbol),
                touched_seq=seq,
            )

    def _intended(self, event: Event) -> None:
        if self._draft(event) is not None:
            self._reasons[event.payload["instrument"]] = clean(event.payload["reason"], _REASON_CHARS)

    def _ruled(self, event: Event) -> None:
        draft = self._draft(event)
        if draft is None or event.payload["superseded"]:
            return
        side = 1 if event.payload["side"] == "buy" else -1
        lots = self.lots.get((draft.desk, draft.instrument))
        held = lots.side if lots else 0
        draft.status = "refused" if event.payload["ruling"] == "refused" else "acted"
        draft.action = "exit" if held and side != held else "enter"
        draft.side = side
        if draft.status == "acted" and lots is not None and draft.action == "exit":
            draft.contradicts = contradiction(
                lots, self.forecasts.get((draft.desk, draft.instrument)), draft.price, self.now_ms, self.horizon_ms
            )

    def _draft(self, event: Event) -> Episode | None:
        draft = self._drafts.get(event.payload["instrument"])
        return draft if draft is not None and draft.decision_id == event.decision_id else None

    def _ordered(self, event: Event) -> None:
        episode = self._draft(event) or self._of_order.get(event.payload.get("parent_id", ""))
        if episode is not None and event.payload["origin"] == "desk":
            self._of_order[event.payload["order_id"]] = episode

    def _complete(self) -> None:
        """The decision stands: its episodes get their text and are found from the next instant on."""
        for draft in self._drafts.values():
            reason = self._reasons.get(draft.instrument, "")
            side = {1: "long", -1: "short", 0: "flat"}[draft.side]
            draft.text = clean(
                f"{draft.instrument}: {words_of(draft.state)}. {draft.status}, {draft.action} {side}. "
                f"{self._rationale} {reason}"
            )
            self.episodes.append(draft)
            self._by_id[draft.episode_id] = draft
            self._due.append(draft)
            self._opened(draft)
        self._drafts = {}

    def _filled(self, event: Event) -> None:
        payload = event.payload
        desk, symbol = payload["desk"], payload["instrument"]
        episode = self._of_order.get(payload["order_id"])
        if episode is None and (desk, symbol) not in self.lots:
            return
        lots = self.lots.setdefault((desk, symbol), Lots())
        if episode is not None:
            self._with_fill.add(episode.episode_id)
        ended = lots.fill(
            # One that was measured as missed already stays as it was told.
            episode,
            side=1 if payload["side"] == "buy" else -1,
            quantity=Decimal(payload["quantity"]),
            price=Decimal(payload["price"]),
            fee=Decimal(payload["fee"]),
        )
        for owner, account in ended:
            self._realise(owner, account, event.ts_ms)

    def _realise(self, episode: Episode, account: Account, ts_ms: int) -> None:
        if episode.net_return is None and account.entered:
            pnl = round_nearest(account.result, QUOTE_STEP)
            self._close(episode, ts_ms, "realised", float(account.result / account.entered), pnl)

    def _funded(self, event: Event) -> None:
        lots = self.lots.get((event.payload["desk"], event.payload["instrument"]))
        if lots is not None:
            lots.fund(Decimal(event.payload["paid"]))

    def _close(self, episode: Episode, ts_ms: int, kind: str, net: float, pnl: Decimal | None) -> None:
        # A store gives no sign to zero, so it gets none here.
        episode.closed_ms, episode.kind, episode.net_return, episode.pnl = ts_ms, kind, net + 0.0, pnl
        episode.reflection = reflect(episode).text()
        self._touch(episode)

    def _reflected(self, event: Event) -> None:
        """What the desk's model said when it looked back. It can speak of closed episodes of its own desk alone."""
        for row in event.payload["episodes"]:
            episode = self._by_id.get(row["episode_id"])
            if episode is None or episode.desk != event.payload["desk"] or episode.net_return is None:
                continue
            episode.insight, episode.insight_ms = insight_text(event.payload["model"], row["said"]), event.ts_ms
            self._touch(episode)

    def _touch(self, episode: Episode) -> None:
        episode.touched_seq = self._place()[0]
        self._closed(episode)


def _expectation(row: Mapping[str, Any]) -> Expectation:
    return Expectation(horizon_s=row["horizon_s"], p_up=row["p_up"], q05=row["q05"], q50=row["q50"], q95=row["q95"])


def _ignore(_: Episode) -> None:
    return None
