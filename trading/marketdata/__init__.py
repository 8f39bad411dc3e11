"""Market data: candle files, their checks and their store, the tape, the simulated market, and the market view.

No orders and no accounts: a venue reads the tape, a desk reads the view.
"""

from trading.marketdata.candles import CandleSeries, read_candles
from trading.marketdata.columns import FileRefused
from trading.marketdata.filecheck import FileReport, check_file, check_files
from trading.marketdata.funding import read_funding
from trading.marketdata.loading import expand_paths, load_tape
from trading.marketdata.naming import CandleFileName, SeriesKind, parse_candle_name, parse_funding_name
from trading.marketdata.oddities import Oddities, Oddity, find_oddities
from trading.marketdata.quality import Problem, QualityReport, check_funding, check_series
from trading.marketdata.resample import Resampled, open_of, resample
from trading.marketdata.series_view import SeriesView
from trading.marketdata.shocks import Regime, regime_path
from trading.marketdata.simulated import SimulationSpec, simulate
from trading.marketdata.tape import FloatArray, FundingRates, IntArray, Tape, TextScores
from trading.marketdata.view import Bars, MarketView, TapeView, last_bar

__all__ = [
    "Bars",
    "CandleFileName",
    "CandleSeries",
    "FileRefused",
    "FileReport",
    "FloatArray",
    "FundingRates",
    "IntArray",
    "MarketView",
    "Oddities",
    "Oddity",
    "Problem",
    "QualityReport",
    "Regime",
    "Resampled",
    "SeriesKind",
    "SeriesView",
    "SimulationSpec",
    "Tape",
    "TapeView",
    "TextScores",
    "check_file",
    "check_files",
    "check_funding",
    "check_series",
    "expand_paths",
    "find_oddities",
    "last_bar",
    "load_tape",
    "open_of",
    "parse_candle_name",
    "parse_funding_name",
    "read_candles",
    "read_funding",
    "regime_path",
    "resample",
    "simulate",
]
