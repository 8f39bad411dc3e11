"""The recorded order books as a tick store, taken in once."""

from pathlib import Path

import pytest

from trading.marketdata.ticks import TickKey, TickStore, read_recorded

NOW_MS = 1_800_000_000_000


def take_in(store: TickStore, path: Path) -> None:
    found = read_recorded(path)
    key = TickKey(venue=path.parent.name, symbol=found.symbol, kind=found.ticks.kind)
    store.add(key, found.ticks, source="recording", now_ms=NOW_MS, covered=(found.covered,), refused=found.refused)


@pytest.fixture(scope="session")
def recorded_ticks(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> TickStore:
    store = TickStore(tmp_path_factory.mktemp("ticks"))
    for name in ("binance-spot/BTC-USDT", "binance-usdm/BTC-USDT-PERP"):
        for kind in ("trades", "bbo", "l2"):
            take_in(store, recordings / f"orderbook/{name}-20240808-{kind}.parquet")
    return store
