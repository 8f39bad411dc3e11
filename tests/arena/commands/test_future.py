"""Nothing that comes later reaches back: with another future of the tape, every event before it is the same."""

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trading.storage.journal import read_events

HOUR_MS = 3_600_000
START_MS = 1_760_659_200_000  # 2025-10-17T00:00:00Z
BEFORE, ROUNDS = 80, 10
SYMBOLS = ("BTC-USDT-PERP", "ETH-USDT-PERP")

SEASON = f"""
[season]
name = "future"
start = 2025-10-17T00:00:00Z
end = 2025-10-17T{ROUNDS}:00:00Z
every = "1h"
capital = 10000

[market]
kind = "replay"
paths = ["*-1h.parquet"]
funding = ["*-funding.parquet"]
instruments = ["BTC-USDT-PERP", "ETH-USDT-PERP"]

""" + "\n".join(
    f'[[desk]]\nname = "{name}"\nmodel = "house/{name}"\n'
    for name in ("momentum", "meanrev", "breakout", "voltarget", "forecaster", "random")
)


def write(place: Path, *, changed_from: int | None) -> None:
    """Candles and funding; from round ``changed_from`` on, another path of prices, with gaps and other rates."""
    place.mkdir()
    for number, symbol in enumerate(SYMBOLS):
        draw, other = random.Random(number), random.Random(100 + number)
        columns: dict[str, list[Any]] = {name: [] for name in ("ts", "open", "high", "low", "close", "volume")}
        rates: dict[str, list[Any]] = {"ts": [], "funding_rate": []}
        price = 100.0
        for row in range(BEFORE + ROUNDS + 4):
            new = changed_from is not None and row >= BEFORE + changed_from
            opened, price = price, price * (1 + (other.gauss(-0.002, 0.05) if new else draw.gauss(0.001, 0.01)))
            ts = START_MS + HOUR_MS * (row - BEFORE)
            if row % 8 == 0:
                rates["ts"].append(ts)
                rates["funding_rate"].append(-0.003 if new else 0.0001)
            if new and row > BEFORE + (changed_from or 0) and other.random() < 0.2:
                continue
            high, low = max(opened, price) * 1.002, min(opened, price) * 0.998
            for name, value in zip(columns, (ts, opened, high, low, price, 1000.0), strict=True):
                columns[name].append(value)
        _parquet(place / f"{symbol}-1h.parquet", columns)
        _parquet(place / f"{symbol}-funding.parquet", rates)


def _parquet(path: Path, columns: dict[str, list[Any]]) -> None:
    kinds = {"ts": pa.timestamp("ms")}
    pq.write_table(pa.table({name: pa.array(cells, kinds.get(name)) for name, cells in columns.items()}), path)


def events(lab: Any, place: Path) -> list[tuple[Any, ...]]:
    season = place / "future.toml"
    season.write_text(SEASON, "utf-8")
    said = lab.call("run", season, "--data-root", place, "--home", place / "home", "--json")
    assert said.code == 0, said.err
    journal = next((place / "home").glob("runs/*/journal.sqlite"))
    return [(event.ts_ms, event.kind, event.decision_id, event.payload_json) for event in read_events(journal)]


@pytest.fixture(scope="module")
def real(lab: Any, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, ...]]:
    """Every event of the season on the tape as it is."""
    place = tmp_path_factory.mktemp("real") / "data"
    write(place, changed_from=None)
    return events(lab, place)


@pytest.mark.parametrize("known", [1, 4, 7, 9])
def test_every_event_up_to_a_bar_is_the_same_whatever_comes_after_it(
    lab: Any, real: list[tuple[Any, ...]], tmp_path: Path, known: int
) -> None:
    write(tmp_path / "data", changed_from=known)
    other = events(lab, tmp_path / "data")
    instant = START_MS + known * HOUR_MS  # the round at this instant knows every bar before the first changed one
    before = [event for event in real if event[0] <= instant]
    assert len(before) > 40 * known
    # What is stamped with the very instant may lie in the changed bar; what was decided then may not.
    assert [event for event in other if event[0] < instant] == [event for event in before if event[0] < instant]
    decided = ("round_opened", "marked", "model_called", "tool_called", "decided", "intended", "ruled", "ordered")
    assert [e for e in other if e[0] == instant and e[1] in decided] == [
        e for e in before if e[0] == instant and e[1] in decided
    ]
    assert other != real, "the future was not another one"
    assert any(event[1] == "ordered" for event in before), "nothing was at stake"
