"""Plausible floors for tests of pages and API: invented desks on an invented market, from a seed."""

import itertools
import math
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from agents.llm.runtime import litellm_module
from arena.seasons.forecast_board import CurvePoint, ForecastBoard, ForecastRow, ModelRow
from arena.seasons.snapshot import (
    Curve,
    DecisionCard,
    DeskCard,
    FloorSnapshot,
    LuckBand,
    PositionRow,
    ToolLine,
    TradeRow,
    VerdictLine,
)
from tests.arena.houses import House, open_house

HOUR_MS = 3_600_000
START_MS = 1_760_659_200_000
CAPITAL = 10_000.0
NAMES = ("buyhold", "equalweight", "momentum", "meanrev", "breakout", "voltarget", "forecaster", "random")
INSTRUMENTS = ("BTC-USDT-PERP", "ETH-USDT-PERP", "SOL-USDT-PERP")
PRICES = (64_210.5, 3_120.25, 152.4)


_versions = itertools.count(1)


@pytest.fixture(scope="session", autouse=True)
def models_at_hand() -> None:
    """LiteLLM warns when it is imported; a season's own thread could do it while another one turns warnings on."""
    litellm_module()


class SampleFloor:
    """A floor whose snapshot a test sets; halting and resuming change it as a season would."""

    def __init__(self, snapshot: FloorSnapshot | None) -> None:
        self._lock = threading.Lock()
        self._snapshot = None if snapshot is None else replace(snapshot, version=next(_versions))
        self.orders: list[tuple[str, str]] = []

    def snapshot(self) -> FloorSnapshot | None:
        """What the test set last."""
        return self._snapshot

    def publish(self, snapshot: FloorSnapshot) -> None:
        """Shows a snapshot under a version that no floor of this run has shown."""
        with self._lock:
            self._snapshot = replace(snapshot, version=next(_versions))

    def halt(self, reason: str) -> None:
        """Records the order and shows a halted season."""
        self.orders.append(("halt", reason))
        if self._snapshot is not None:
            self.publish(replace(self._snapshot, status="halted", breaker="halted", halt_reason=reason))

    def resume(self, reason: str) -> None:
        """Records the order and shows a running season."""
        self.orders.append(("resume", reason))
        if self._snapshot is not None:
            self.publish(replace(self._snapshot, status="running", breaker="armed", halt_reason=None))


def sample_snapshot(*, rounds: int = 408, played: int = 300, seed: int = 11, now_ms: int = 0) -> FloorSnapshot:
    """Eight house desks and one language model's colours, after ``played`` rounds of one hour."""
    draw = random.Random(seed)
    ts_ms = tuple(START_MS + index * HOUR_MS for index in range(played + 1))
    curves = [_walk(draw, len(ts_ms), drift=0.00002 * (3 - slot), noise=0.0035) for slot in range(len(NAMES))]
    order = sorted(range(len(NAMES)), key=lambda slot: -curves[slot][-1])
    desks = tuple(
        _desk(draw, slot, order.index(slot) + 1, Curve(ts_ms=ts_ms, equity=curves[slot])) for slot in range(len(NAMES))
    )
    as_of_ms = ts_ms[-1]
    return FloorSnapshot(
        version=1,
        season="demo",
        run_id="demo-1",
        market="simulated",
        mode="balanced",
        status="running",
        status_text="",
        as_of_ms=as_of_ms,
        start_ms=START_MS,
        end_ms=START_MS + rounds * HOUR_MS,
        round_index=played,
        rounds=rounds,
        step_ms=HOUR_MS,
        capital=CAPITAL,
        instruments=INSTRUMENTS,
        prices=tuple(zip(INSTRUMENTS, PRICES, strict=True)),
        desks=desks,
        benchmark=Curve(ts_ms=ts_ms, equity=_walk(draw, len(ts_ms), drift=-0.00008, noise=0.006)),
        benchmark_name="buy and hold",
        luck=_luck(ts_ms),
        luck_traders=200,
        decisions=tuple(_decision(draw, played - back, slot) for back in range(4) for slot in range(len(NAMES))),
        trades=tuple(_trade(draw, played - back, slot) for back in range(5) for slot in (0, 2, 3, 4, 7)),
        breaker="armed",
        halt_reason=None,
        published_ms=now_ms or as_of_ms,
        forecasts=_forecasts(),
    )


def _forecasts() -> ForecastBoard:
    """One desk with skill, one without, and two models of which one has a record."""
    desks = tuple(
        ForecastRow(
            desk=name,
            issued=900,
            ended=880,
            brier_skill=(0.012, -0.02)[slot % 2],
            brier_skill_ci95=((0.002, 0.02), (-0.05, 0.01))[slot % 2],
            coverage90=(0.903, 0.951)[slot % 2],
            coverage90_ci95=((0.88, 0.92), (0.93, 0.97))[slot % 2],
            calibration_error=0.021,
        )
        for slot, name in enumerate(NAMES)
    )
    curve = tuple(
        CurvePoint(said=0.46 + 0.01 * at, rose=rose, rose_ci95=(rose - 0.04, rose + 0.04), count=88)
        for at in range(10)
        for rose in (0.45 + 0.012 * at,)
    )
    champion = ModelRow(
        model_id="btc-usdt-4h-0123456789",
        instrument="BTC-USDT",
        horizon="4h",
        stage="champion",
        trained_to_ms=START_MS,
        crps_skill=0.021,
        crps_skill_ci95=(0.012, 0.03),
        coverage90=0.902,
        recorded=240,
        recorded_coverage90=0.896,
        recorded_skill=0.014,
        recorded_skill_ci95=(-0.006, 0.035),
        recorded_p=0.18,
    )
    new = replace(
        champion,
        model_id="btc-usdt-4h-abcdef0123",
        stage="candidate",
        recorded=0,
        recorded_coverage90=None,
        recorded_skill=None,
        recorded_skill_ci95=None,
        recorded_p=None,
    )
    return ForecastBoard(desks=desks, curve=curve, models=(new, champion))


def _walk(draw: random.Random, points: int, *, drift: float, noise: float) -> tuple[float, ...]:
    equity = [CAPITAL]
    for _ in range(points - 1):
        equity.append(equity[-1] * (1 + drift + draw.gauss(0, noise)))
    return tuple(round(value, 2) for value in equity)


def _luck(ts_ms: tuple[int, ...]) -> LuckBand:
    wide = [0.004 * math.sqrt(index) for index in range(len(ts_ms))]
    return LuckBand(
        ts_ms=ts_ms,
        q05=tuple(-1.65 * w for w in wide),
        q25=tuple(-0.67 * w for w in wide),
        q75=tuple(0.67 * w for w in wide),
        q95=tuple(1.65 * w for w in wide),
    )


def _desk(draw: random.Random, slot: int, rank: int, curve: Curve) -> DeskCard:
    total = curve.equity[-1] / CAPITAL - 1
    name = NAMES[slot]
    positions = tuple(
        PositionRow(
            instrument=instrument,
            quantity=f"{value / price:.3f}",
            value=value,
            average_price=price * (1 + draw.gauss(0, 0.01)),
            unrealised=draw.gauss(0, 60),
        )
        for instrument, price in zip(INSTRUMENTS, PRICES, strict=True)
        if (value := round(draw.gauss(400, 1_500), 2)) and name != "random"
    )
    return DeskCard(
        slot=slot,
        name=name,
        tag=name[:3].upper(),
        kind="rule-based",
        models=tuple((role, f"house/{name}") for role in ("analyst", "forecaster", "risk", "executor")),
        status="active",
        equity=curve.equity[-1],
        total_return=total,
        return_ci95=(total - 0.065, total + 0.065),
        max_drawdown=0.03 + 0.01 * slot,
        sharpe=total * 20,
        sharpe_ci95=(total * 20 - 4, total * 20 + 4),
        luck_percentile=min(0.99, max(0.01, 0.5 + total * 4)),
        rank=max(1, rank - 2),
        rank_last=min(len(NAMES), rank + 2),
        tied_with=tuple(other for other in NAMES if other != name)[:3],
        fees=draw.uniform(5, 80),
        turnover=draw.uniform(1, 30),
        decisions=300,
        acted=90 + slot,
        held=209 - slot,
        abstained=1 if slot == 6 else 0,
        failovers=0,
        refused_intents=slot,
        llm_calls=1_200,
        usd=0.0,
        brier_skill=draw.gauss(0, 0.01),
        last_action=f"{draw.choice(('bought', 'sold'))} 0.021 BTC",
        last_action_ms=curve.ts_ms[-1],
        positions=positions,
        curve=curve,
    )


def _decision(draw: random.Random, round_index: int, slot: int) -> DecisionCard:
    status = draw.choice(("acted", "acted", "held", "abstained" if slot == 6 else "held"))
    ruling = draw.choice(("allowed", "allowed", "resized", "refused"))
    message = {
        "allowed": "",
        "resized": "Size cut from 2.40 to 2.05 SOL: order value limit $260.",
        "refused": "SOL would be 41 % of equity; the limit is 35 %.",
    }[ruling]
    rule = "" if ruling == "allowed" else "max_order_value"
    verdict = VerdictLine(intent="sell 2.4 SOL-USDT-PERP", ruling=ruling, rule=rule, message=message)
    return DecisionCard(
        decision_id=f"demo-{round_index}-{slot}",
        desk=NAMES[slot],
        slot=slot,
        kind="rule-based",
        ts_ms=START_MS + round_index * HOUR_MS,
        round_index=round_index,
        status=status,
        rationale=""
        if status == "abstained"
        else "The 48 h trend of SOL turned down while its volatility rose. I take a third off and leave BTC alone.",
        abstain_reason="no valid answer after 2 tries" if status == "abstained" else None,
        confidence=0.58,
        notes=(
            ("analyst", "SOL is 1.8 % below its 24 h mean; volume is falling."),
            ("forecaster", "4 h median −0.4 %, 90 % interval −2.9 % to +2.2 %."),
            ("risk", "One-day VaR 95 is 1.9 % of equity, inside the budget."),
        ),
        verdicts=(verdict,) if status == "acted" else (),
        tools=(
            ToolLine(
                role="analyst",
                tool="get_candles",
                arguments_json='{"instrument": "SOL-USDT-PERP", "bars": 48}',
                outcome="ok",
                latency_ms=1.4,
            ),
            ToolLine(
                role="forecaster",
                tool="get_forecast",
                arguments_json='{"instrument": "SOL-USDT-PERP", "horizon": "4h"}',
                outcome="ok",
                latency_ms=2.2,
            ),
        ),
        prompt_hash="7ab2c41f90de",
        llm_calls=4,
        usd=0.0,
        latency_ms=11.4,
    )


def _trade(draw: random.Random, round_index: int, slot: int) -> TradeRow:
    which = draw.randrange(3)
    return TradeRow(
        ts_ms=START_MS + round_index * HOUR_MS,
        desk=NAMES[slot],
        slot=slot,
        instrument=INSTRUMENTS[which],
        side=draw.choice(("buy", "sell")),
        quantity=f"{draw.uniform(0.01, 3):.3f}",
        price=PRICES[which] * draw.uniform(0.99, 1.01),
        fee=draw.uniform(0.02, 0.4),
        decision_id=f"demo-{round_index}-{slot}",
    )


@pytest.fixture
def snapshot() -> FloorSnapshot:
    """A running season of eight desks after 300 rounds."""
    return sample_snapshot()


@pytest.fixture
def empty_snapshot() -> FloorSnapshot:
    """The same season before its first round: desks, but no decisions, no interval, one point of equity."""
    full = sample_snapshot(played=1)
    desks = tuple(
        replace(
            desk,
            total_return=0.0,
            return_ci95=None,
            sharpe=None,
            sharpe_ci95=None,
            luck_percentile=None,
            brier_skill=None,
            rank=1,
            rank_last=len(NAMES),
            decisions=0,
            acted=0,
            held=0,
            abstained=0,
            last_action="",
            last_action_ms=None,
            positions=(),
            curve=Curve(ts_ms=desk.curve.ts_ms[:1], equity=(CAPITAL,)),
        )
        for desk in full.desks
    )
    return replace(full, round_index=0, desks=desks, benchmark=None, luck=None, luck_traders=0, decisions=(), trades=())


@pytest.fixture
def make_floor() -> Callable[[FloorSnapshot | None], SampleFloor]:
    """A floor over a snapshot that the test may replace."""
    return SampleFloor


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house whose short season came to its end. Do not change it."""
    with open_house(tmp_path_factory.mktemp("played") / "home") as house:
        house.wait(lambda snapshot: snapshot.status == "finished")
        house.season.stop()  # which closes its files, so that the folder can be copied
        yield house
