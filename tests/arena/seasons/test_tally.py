"""What the tally takes from events: decisions of substitutes count as decisions and say nothing of skill."""

from arena.seasons.tally import Tally
from trading.domain import Decision, DecisionStatus, Forecast
from trading.domain.event import Event, EventKind
from trading.engine.records import decided_event

FORECAST = Forecast(instrument="BTC-USDT-PERP", horizon_s=3600, p_up=0.6, q05=-0.01, q50=0.0, q95=0.01)


def opened():
    tally = Tally()
    tally.apply(
        Event(
            ts_ms=0,
            kind=EventKind.SEASON_OPENED,
            payload={
                "season": "s", "market": "simulated", "rules_sha256": "r", "start_ms": 0, "end_ms": 7_200_000,
                "every_ms": 3_600_000,
                "capital": "10000", "costs": {"taker_fee_bps": "1", "slippage_bps": "1"}, "data_sha256": None,
                "instruments": [{"symbol": "BTC-USDT-PERP", "kind": "perp"}],
                "desks": [{"desk": "one", "kind": "llm", "models": {}}],
            },
        )
    )  # fmt: skip
    return tally


def decided(number, **changes):
    decision = Decision(
        decision_id=f"d{number}",
        desk="one",
        round_index=number,
        status=DecisionStatus.HELD,
        forecasts=(FORECAST,),
        **changes,
    )
    return decided_event(decision, number * 3_600_000)


def test_a_substitutes_forecasts_are_not_the_desks():
    tally = opened()
    tally.apply(decided(0))
    tally.apply(decided(1, substituted=(("forecaster", "openai/gpt-5.4-mini"),)))
    desk = tally.desks["one"]
    assert (len(desk.decisions), desk.statuses, desk.failovers) == (2, {"held": 2}, 1)
    assert len(desk.forecasts) == 1
