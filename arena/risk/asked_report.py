"""The risk report of a question, as a document: for the terminal, for pages, and for whoever asks over the wire."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np

from arena.measured import Measured, Question, measure
from arena.risk.document import proposal_document, report_document
from arena.risk.season import season_backtest
from arena.settings import CONFIG, Settings
from trading.domain.errors import RequestError, ToolFailure
from trading.domain.instrument import InstrumentKind, parse_symbol
from trading.risk.account_risk import account_risk, mean_daily_volume
from trading.risk.measures import horizon_returns
from trading.risk.report import RiskReport, risk_report
from trading.venues.simulated.costs import venue_facts

_PAST_MS = 10 * 365 * 86_400_000
"""How far back the worst stretches are looked for, where candles reach."""


def asked_report(
    question: Question, *, horizon_ms: int, desk: str | None = None, judged: bool = True
) -> dict[str, Any]:
    """Every measure of the positions over the horizon: of all desks together, or of one.

    ``judged`` back-tests the VaR of a run on its own season, which takes longest. Raises RequestError in one line.
    """
    measured = measure(question)
    if desk is not None:
        measured = of_desk(measured, desk)
    settings = Settings.load({"home": question.home, "data_root": question.data_root})
    return report_document(
        measured,
        _asked(measured, horizon_ms),
        horizon_ms=horizon_ms,
        season=season_backtest(measured, settings) if judged else None,
        proposal=_proposal(measured, question.proposal, horizon_ms),
    )


def of_desk(measured: Measured, desk: str) -> Measured:
    """One desk of a run, measured by itself. Raises RequestError for a stranger, and for one without equity."""
    if desk not in measured.desks:
        raise RequestError(
            f"{measured.name} has no desk {desk[:80]!r}; there are {', '.join(measured.desks) or 'none'}"
        )
    account = measured.desks[desk]
    if account.equity <= 0:
        raise RequestError(f"{desk} has no equity left, so nothing can be a fraction of it")
    return replace(measured, name=f"{measured.name}, {desk}", account=account, desks={desk: account})


def _asked(measured: Measured, horizon_ms: int) -> RiskReport:
    book = measured.book(measured.account)
    benchmark = next((symbol for symbol in book.weights if parse_symbol(symbol)[0] == "BTC"), None)
    try:
        return risk_report(
            book,
            measured.seen.bars,
            horizon_ms=horizon_ms,
            rng=np.random.default_rng(0),
            benchmark=benchmark,
            past=measured.look_back(_PAST_MS).bars,
        )
    except ToolFailure as error:
        raise RequestError(str(error)) from error


def _proposal(measured: Measured, changes: Mapping[str, Decimal], horizon_ms: int) -> dict[str, Any] | None:
    """What a proposed trade would change; None without one."""
    if not changes:
        return None
    book, equity = measured.book(measured.account), float(measured.account.equity)
    after = dict(book.weights)
    for symbol, quantity in changes.items():
        after[symbol] = after.get(symbol, 0.0) + float(quantity) * float(measured.prices[symbol]) / equity
    bars = measured.seen.bars
    history = {symbol: horizon_returns(bars[symbol], horizon_ms) for symbol in after}
    traded = {symbol: mean_daily_volume(bars[symbol]) * float(measured.prices[symbol]) / equity for symbol in after}
    margin = float(venue_facts(CONFIG / "venues.toml")["perp"]["maintenance_margin"])
    perps = {symbol: margin for symbol in after if parse_symbol(symbol)[2] is InstrumentKind.PERP}
    before, then = (
        account_risk(weights, history, maintenance={**perps, **measured.maintenance}, daily_volume=traded)
        for weights in (book.weights, after)
    )
    return proposal_document(changes, before, then)
