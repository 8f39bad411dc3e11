"""How often ``house/random`` leaves its luck band, by its rules on simulated seasons and in seasons of the arena."""

import asyncio
import os
import tempfile
from pathlib import Path

import numpy as np

from agents.llm.house.strategies import Evidence, discover_strategies
from arena import wiring
from arena.ranking import played_season
from arena.seasons.rulefile import load_rules
from arena.settings import CONFIG, Settings
from bench.figure import Figure
from trading.marketdata import SimulationSpec, simulate
from trading.stats import FloatArray, holdings, luck_percentile

SYMBOLS = ("BTC-USDT-PERP", "ETH-USDT-PERP", "SOL-USDT-PERP")
SEASONS = 200
PLAYED = int(os.environ.get("TRADEFLOOR_LUCK_SEASONS", "8"))
"""Seasons that are really played, with graph, gate and journal: five days, a decision each four hours."""

_HOUR_MS = 3_600_000
_BEGIN_MS = 1_740_787_200_000
_BARS = 240
_CAPITAL = 10_000.0
_TRADERS = 300
_AHEAD = 20


def measure() -> list[Figure]:
    """Shares above the 95th percentile: 5 % is luck."""
    plain = np.array([percentile_of_season(seed) for seed in range(SEASONS)])
    edge = np.array([percentile_of_season(seed, foresight=1.0) for seed in range(SEASONS // 4)])
    with tempfile.TemporaryDirectory() as home:
        played = np.array([_played(Path(home), seed) for seed in range(PLAYED)])
    return [
        Figure(
            name="house/random above its 95th percentile",
            value=_above(plain),
            unit="%",
            target="about 5",
            note="200 seasons",
        ),
        Figure(name="house/random below its 5th percentile", value=_above(1 - plain), unit="%", target="about 5"),
        Figure(name="the same with sight of the next twenty hours", value=_above(edge), unit="%", target=">= 80"),
        Figure(
            name="house/random in seasons of the arena, above", value=_above(played), unit="%", note=f"{PLAYED} seasons"
        ),
        Figure(name="  and their mean percentile", value=float(np.mean(played)), unit="", target="about 0.5"),
    ]


def _above(found: FloatArray) -> float:
    return 100.0 * float(np.mean(found > 0.95))


def percentile_of_season(seed: int, *, foresight: float = 0.0) -> float:
    """The luck percentile of ``house/random``'s rules over ten simulated days.

    With ``foresight`` that share of its changes takes the side that the next twenty hours will reward: a true edge.
    """
    tape = simulate(
        SimulationSpec(
            symbols=SYMBOLS,
            start_ms=_BEGIN_MS,
            end_ms=_BEGIN_MS + _BARS * _HOUR_MS,
            step_ms=_HOUR_MS,
            seed=50_000 + seed,
        )
    )
    rng = np.random.default_rng(seed)
    strategy = discover_strategies()["random"]
    closes = tape.close
    equity = np.full(_BARS, _CAPITAL)
    quantities = np.zeros((len(SYMBOLS), _BARS))
    for bar in range(_BARS - 1):
        held = quantities[:, bar] * closes[:, bar] / equity[bar]
        evidence = Evidence(
            symbols=SYMBOLS,
            scores={},
            forecasts={},
            held=dict(zip(SYMBOLS, held.tolist(), strict=True)),
            cost=0.0,
            rng=lambda: rng,
        )
        wanted = strategy.targets(evidence)
        ahead = np.sign(closes[:, min(bar + _AHEAD, _BARS - 1)] - closes[:, bar])
        for row, symbol in enumerate(SYMBOLS):
            target, now = wanted[symbol], held[row]
            if target is not None and rng.random() < foresight:
                target = float(ahead[row]) * evidence.share
            changes = target is not None and abs(target - now) > strategy.band * evidence.share
            quantities[row, bar + 1] = (
                target * equity[bar] / closes[row, bar] if changes and target is not None else quantities[row, bar]
            )
        gained = float(quantities[:, bar + 1] @ (closes[:, bar + 1] - closes[:, bar]))
        equity[bar + 1] = equity[bar] + gained
    found = luck_percentile(
        holdings(quantities, closes, equity),
        closes,
        allows_short=np.ones(len(SYMBOLS), np.bool_),
        traders=_TRADERS,
        rng=rng,
    )
    return 0.5 if found is None else found


def _played(home: Path, seed: int) -> float:
    """The luck percentile of ``house/random`` in a season of the arena."""
    settings = Settings.load({"home": home})
    rules = load_rules(
        CONFIG / "seasons" / "demo.toml",
        ["season.end=2026-01-06T00:00:00Z", "season.every=4h", f"season.seed={1000 + seed}"],
    )
    rules = rules.model_copy(update={"desks": tuple(desk for desk in rules.desks if desk.model == "house/random")})
    prepared = wiring.prepare(rules, settings)
    folder = wiring.open_run(prepared, settings)

    async def play() -> None:
        async with wiring.season_run(prepared, folder, settings) as playable:
            await playable.play()

    asyncio.run(play())
    season = played_season(folder)
    assert season is not None
    (desk,) = season.desks
    closes = season.market.closes
    found = luck_percentile(
        holdings(desk.quantities, closes, desk.equity),
        closes,
        allows_short=season.market.allows_short,
        rng=np.random.default_rng(seed),
    )
    return 0.5 if found is None else found
