"""Bad input: exit 2, one line that says what was found and what to do, nothing on stdout and nothing half-run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

HOUR_MS = 3_600_000
START_MS = 1_760_659_200_000  # 2025-10-17T00:00:00Z
BEFORE = 60
ROWS = BEFORE + 30

SEASON = """
[season]
name = "trial"
start = 2025-10-17T00:00:00Z
end = 2025-10-17T06:00:00Z
every = "1h"
capital = 10000

[market]
kind = "replay"
paths = ["*-1h.parquet"]
instruments = ["BTC-USDT-PERP"]

[limits]
max_leverage = 2

[[desk]]
name = "momentum"
model = "house/momentum"
"""

Columns = dict[str, list[Any]]


def candles() -> Columns:
    """Well-formed candles around 100."""
    return {
        "ts": [START_MS + HOUR_MS * (row - BEFORE) for row in range(ROWS)],
        "open": [100.0 + row % 7 for row in range(ROWS)],
        "high": [112.0] * ROWS,
        "low": [95.0] * ROWS,
        "close": [100.0 + (row + 1) % 7 for row in range(ROWS)],
        "volume": [5.0] * ROWS,
    }


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a good season file and a good candle file."""
    (tmp_path / "trial.toml").write_text(SEASON, "utf-8")
    write(tmp_path, candles())
    return tmp_path


def write(place: Path, columns: Columns, name: str = "BTC-USDT-PERP-1h.parquet") -> None:
    types = {"ts": pa.timestamp("ms")}
    pq.write_table(pa.table({key: pa.array(cells, types.get(key)) for key, cells in columns.items()}), place / name)


@pytest.fixture
def refused(lab: Any, place: Path) -> Callable[..., str]:
    """Runs the season and gives the one line of the refusal."""

    def refused(*more: object, season: str = "trial.toml", code: int = 2, **environment: str) -> str:
        home = place / "home"
        said = lab.call("run", place / season, "--data-root", place, "--home", home, "--json", *more, **environment)
        assert said.code == code, said.err
        assert said.out == ""
        assert said.err.startswith("tradefloor: ")
        assert said.err.count("\n") == 1, said.err
        assert not (home / "runs").exists(), "something was half-run"
        return said.err.removeprefix("tradefloor: ").strip()

    return refused


def test_the_place_is_good_to_begin_with(lab: Any, place: Path) -> None:
    said = lab.call("run", place / "trial.toml", "--data-root", place, "--home", place / "home", "--json")
    assert said.code == 0, said.err
    assert said.document["rounds_done"] == 6


def change(key: str, row: int, value: Any) -> Callable[[Columns], None]:
    def spoil(columns: Columns) -> None:
        columns[key][row] = value

    return spoil


def twice(columns: Columns) -> None:
    columns["ts"][40] = columns["ts"][39]


def disorder(columns: Columns) -> None:
    columns["ts"][40], columns["ts"][41] = columns["ts"][41], columns["ts"][40]


def stranger(columns: Columns) -> None:
    columns["adjusted"] = [1.0] * ROWS


def nothing(columns: Columns) -> None:
    for cells in columns.values():
        cells.clear()


def no_close(columns: Columns) -> None:
    del columns["close"]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (twice, "row 40"),
        (disorder, "row 41"),
        (change("close", 33, float("nan")), "row 33"),
        (change("low", 12, -1.0), "row 12"),
        (change("open", 12, 0.0), "row 12"),
        (change("low", 7, 113.0), "row 7"),
        (change("high", 8, float("inf")), "row 8"),
        (change("volume", 9, -2.0), "row 9"),
        (stranger, "adjusted"),
        (no_close, "close"),
        (nothing, "empty"),
    ],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "__name__", None),
)
def test_a_bad_candle_file_is_refused_by_file_row_and_reason(
    refused: Callable[..., str], place: Path, spoil: Callable[[Columns], None], words: str
) -> None:
    columns = candles()
    spoil(columns)
    write(place, columns)
    line = refused()
    assert "BTC-USDT-PERP-1h.parquet" in line
    assert words in line


def test_a_file_that_is_no_parquet_is_refused(refused: Callable[..., str], place: Path) -> None:
    (place / "BTC-USDT-PERP-1h.parquet").write_bytes(b"")
    assert "BTC-USDT-PERP-1h.parquet" in refused()
    (place / "BTC-USDT-PERP-1h.parquet").write_bytes(b"PAR1 and then rubbish" * 50)
    assert "BTC-USDT-PERP-1h.parquet" in refused()


def test_a_missing_file_is_refused_with_the_place_it_was_looked_for(refused: Callable[..., str], place: Path) -> None:
    (place / "BTC-USDT-PERP-1h.parquet").unlink()
    line = refused()
    assert "'*-1h.parquet'" in line
    assert str(place) in line
    assert "nowhere.toml" in refused(season="nowhere.toml")


def test_candles_that_end_before_the_season_does_are_refused(refused: Callable[..., str]) -> None:
    line = refused("--set", "season.start=2026-10-17T00:00:00Z", "--set", "season.end=2026-10-18T00:00:00Z")
    assert "BTC-USDT-PERP" in line


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("market.instruments=['BTC-USDT-PERP', 'DOGE-USDT-PERP']", "DOGE-USDT-PERP"),
        ("season.end=2025-10-16T00:00:00Z", "season.end"),
        ("season.end=2025-10-17T00:00:00Z", "season.end"),
        ("season.capital=0", "season.capital"),
        ("season.capital=-5", "season.capital"),
        ("season.capital=nan", "season.capital"),
        ("season.capitol=5", "did you mean capital?"),
        ("sesson.seed=5", "did you mean season?"),
        ("limits.max_leverage=50", "max_leverage"),
        ("limits.max_levrage=1", "max_levrage"),
        ("limits.allowed_instruments=['ETH-USDT-PERP']", "ETH-USDT-PERP"),
        ("costs.taker_fee_bps=-1", "taker_fee_bps"),
        ("season.every=90s", "season.every"),
        ("season.every=0h", "season.every"),
        ("season.approval_deadline=5m", "approval_deadline"),
        ("season.mode=reckless", "season.mode"),
        ("market.kind=live", "market.venue"),
        ("market.kind=paper", "market.venue"),
        ("desk.momentum.model=house/nobody", "house/nobody"),
        ("desk.momentum.model=no-such-provider/none", "no-such-provider/none"),
        ("desk.momentum.model=openai/gpt-5", "OPENAI_API_KEY"),
        ("desk.momentum.model=anthropic/claude-sonnet-4-5", "ANTHROPIC_API_KEY"),
        ("desk.nobody.model=house/momentum", "nobody"),
        ("rubbish", "--set rubbish"),
        ("=5", "--set =5"),
        ("season..seed=5", "--set season..seed=5"),
        ("season.seed.deep=5", "season.seed"),
    ],
)
def test_a_season_that_cannot_be_is_refused_by_key(refused: Callable[..., str], override: str, words: str) -> None:
    assert words in refused("--set", override)


def test_a_season_file_that_is_not_toml_is_refused(refused: Callable[..., str], place: Path) -> None:
    (place / "trial.toml").write_bytes(b"[season\nname = ")
    assert "not TOML" in refused()
    (place / "trial.toml").write_bytes(b"\xff\xfe\x00")
    assert "not TOML" in refused()
    (place / "trial.toml").unlink()
    (place / "trial.toml").mkdir()
    assert "trial.toml" in refused()


@pytest.mark.parametrize("home", ["BTC-USDT-PERP-1h.parquet", "BTC-USDT-PERP-1h.parquet/below", "/proc/nowhere"])
def test_a_home_that_cannot_be_written_is_refused(lab: Any, place: Path, home: str) -> None:
    said = lab.call("run", place / "trial.toml", "--data-root", place, "--home", place / home)
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert "--home" in said.err


@pytest.mark.parametrize("manifest", [b"{", b"[]", b"\xff"])
def test_a_run_folder_with_a_damaged_manifest_is_named(lab: Any, place: Path, manifest: bytes) -> None:
    words = ("run", place / "trial.toml", "--data-root", place, "--home", place / "home", "--json")
    run_id = lab.call(*words).document["run_id"]
    folder = place / "home" / "runs" / run_id
    (folder / "run.json").write_bytes(manifest)
    (folder / "journal.seal").unlink()
    for asked in (words, ("standings", run_id, "--home", place / "home"), ("standings", "--home", place / "home")):
        said = lab.call(*asked)
        assert said.code == 2
        assert said.err.count("\n") == 1
        assert "run.json" in said.err
    listed = lab.call("runs", "--home", place / "home", "--json")
    assert listed.code == 0
    assert listed.document["runs"][0]["run_id"] == run_id


@pytest.mark.parametrize("verb", [("standings",), ("journal", "verify"), ("journal", "export")])
def test_a_run_that_is_not_there_is_refused(lab: Any, tmp_path: Path, verb: tuple[str, ...]) -> None:
    (tmp_path / "runs" / "Not One Of Ours").mkdir(parents=True)
    for run in ("nowhere", "../../etc", "Not One Of Ours", ""):
        said = lab.call(*verb, run, "--home", tmp_path)
        assert said.code == 2
        assert said.err.count("\n") == 1
    assert "tradefloor run" in lab.call(*verb, "--home", tmp_path).err


@pytest.mark.parametrize(
    "words",
    [("frobnicate",), ("run",), ("run", "a.toml", "b.toml"), ("run", "a.toml", "--colour"), ("serve", "--port", "x")],
)
def test_a_command_that_is_not_one_is_refused_in_one_line(lab: Any, words: tuple[str, ...]) -> None:
    said = lab.call(*words)
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert "--help" in said.err


def test_a_verb_that_was_left_out_gets_the_page_of_help(lab: Any) -> None:
    for words in ((), ("journal",), ("data",)):
        said = lab.call(*words)
        assert said.code == 2
        assert "Commands:\n" in said.err


@pytest.mark.parametrize(
    ("name", "value"), [("TRADEFLOOR_PORT", "many"), ("TRADEFLOOR_PORT", "70000"), ("TRADEFLOOR_LOG_LEVEL", "loud")]
)
def test_a_wrong_setting_is_refused_with_its_source(lab: Any, tmp_path: Path, name: str, value: str) -> None:
    said = lab.call("runs", "--home", tmp_path, **{name: value})
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert name in said.err


def test_an_error_of_ours_is_one_line_too(lab: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr("arena.commands.runs.show", fail)
    said = lab.call("runs", "--home", tmp_path)
    assert said.code == 1
    assert said.err.count("\n") == 1
    assert "KeyError" in said.err
    assert "--debug" in said.err
