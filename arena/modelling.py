"""Candles for the verbs that train models and ask them: one instrument's bars up to an instant."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from arena.candles import candle_paths
from arena.settings import Settings
from trading.domain.errors import ConfigError, RequestError, Unavailable
from trading.domain.instants import duration_ms, duration_text, iso, parse_instant, to_ms
from trading.features.frame import FeatureFrame, frame_of
from trading.marketdata import TapeView, load_tape, parse_candle_name, parse_funding_name, read_candles
from trading.marketdata.naming import SeriesKind, is_funding_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a verb was asked about: an instrument's candles, where they lie, and until when they may be seen."""

    instrument: str
    timeframe: str
    until: str | None
    data: Sequence[str]
    home: Path | None
    data_root: Path | None

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return Settings.load({"home": self.home, "data_root": self.data_root})


def view_of(asked: Asked, settings: Settings, *, bars: int | None = None) -> TapeView:
    """The market of one instrument up to ``asked.until`` (its last close without it): the last ``bars``, or all.

    Raises RequestError or DataError for an unknown instrument, timeframe or instant, and for files that are refused.
    """
    step_ms = duration_ms(asked.timeframe)
    paths, funding = files_of(asked, settings)
    spans = [read_candles(path).open_ms for path in paths]
    first_ms = min(int(opens[0]) for opens in spans if len(opens))
    last_ms = max(int(opens[-1]) for opens in spans if len(opens)) + step_ms
    at_ms = last_ms if asked.until is None else to_ms(parse_instant(asked.until))
    if at_ms % step_ms:
        raise ConfigError(
            f"{asked.until}: bars of {asked.timeframe} do not close then; the last close before it is "
            f"{iso(at_ms // step_ms * step_ms)}"
        )
    if not first_ms < at_ms:
        raise RequestError(
            f"{asked.instrument}: the data begins at {iso(first_ms)}, nothing had closed by {iso(at_ms)}"
        )
    if at_ms > last_ms:
        raise RequestError(f"{asked.instrument}: the data ends at {iso(last_ms)}, before {iso(at_ms)}")
    begin_ms = first_ms if bars is None else max(first_ms, at_ms - 2 * bars * step_ms)
    tape = load_tape(paths, funding, (asked.instrument,), begin_ms, at_ms, history_bars=0)
    return TapeView(tape, at_ms)


def files_of(asked: Asked, settings: Settings) -> tuple[list[Path], list[Path]]:
    """The instrument's candle files, and those of its funding rates. Raises RequestError where there are no candles."""
    step_ms = duration_ms(asked.timeframe)
    every = candle_paths(asked.data, settings)
    paths = [path for path in every if _is(path, asked.instrument, step_ms)]
    if not paths:
        others = sorted({_words(path) for path in every if not is_funding_name(path)})
        raise RequestError(
            f"no {asked.timeframe} candles of {asked.instrument} in the data; there are "
            f"{', '.join(others[:12]) or 'none'}{' ...' if len(others) > 12 else ''}; name files with --data GLOB"
        )
    return paths, [path for path in every if is_funding_name(path) and parse_funding_name(path) == asked.instrument]


def frame_until(asked: Asked, settings: Settings) -> FeatureFrame:
    """Every bar of the instrument that had closed by then, with what was known beside it."""
    view = view_of(asked, settings)
    try:
        return frame_of(view, asked.instrument, bars=len(view.bars(asked.instrument, 10**9)))
    except Unavailable as error:
        raise RequestError(str(error)) from error


def horizon_of(text: str, step_ms: int) -> int:
    """A horizon in milliseconds. Raises RequestError where it is not a whole number of bars, or over 30 days."""
    horizon_ms = duration_ms(text)
    if horizon_ms % step_ms or horizon_ms > duration_ms("30d"):
        raise RequestError(
            f"--horizon {text}: expected a whole number of bars of {duration_text(step_ms)}, at most 30d; "
            "use another horizon or --timeframe"
        )
    return horizon_ms


def _is(path: Path, instrument: str, step_ms: int) -> bool:
    if is_funding_name(path):
        return False
    name = parse_candle_name(path)
    return name.symbol == instrument and name.step_ms == step_ms and name.series is SeriesKind.CANDLES


def _words(path: Path) -> str:
    name = parse_candle_name(path)
    return f"{name.symbol} {duration_text(name.step_ms)}"
