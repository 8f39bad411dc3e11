"""The funding rates of one file, as they stand in it."""

from pathlib import Path

from trading.marketdata.columns import read_columns
from trading.marketdata.naming import parse_funding_name
from trading.marketdata.tape import FundingRates


def read_funding(path: Path) -> tuple[str, FundingRates]:
    """The perpetual and the settled rates of a Parquet or CSV file with the columns ``ts, funding_rate``.

    ``ts`` is the instant of the settlement (UTC), ``funding_rate`` the fraction of the notional that longs pay to
    shorts then. What is read is not judged: see :func:`~trading.marketdata.quality.check_funding`. Raises DataError.
    """
    symbol = parse_funding_name(path)
    columns = read_columns(path, ("funding_rate",))
    return symbol, FundingRates(ts_ms=columns.ts_ms, rate=columns.numbers["funding_rate"])
