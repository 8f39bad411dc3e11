"""TimeGPT, Nixtla's hosted model, as a forecaster and a detector of anomalies. It speaks only where a key is set.

``NIXTLA_API_KEY`` is the key, ``NIXTLA_BASE_URL`` another address. Prices leave the house: the last ``window`` closes.
Nixtla's own client asks. It takes seconds to import, so that happens with the first question.
"""

import logging
import math
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from trading.domain.errors import BadArguments, Unavailable
from trading.domain.instants import duration_text
from trading.forecasting.forecaster import ReturnForecast
from trading.marketdata import Bars, IntArray

KEY = "NIXTLA_API_KEY"
BASE_URL = "NIXTLA_BASE_URL"
LEVEL = 90
MODEL = "timegpt-1"
MAX_STEPS = 168
TIMEOUT_S = 60
ATTEMPTS = 2
RETRY_S = 1
_Z95 = 1.6448536269514722
_FREQUENCIES = {60_000: "min", 900_000: "15min", 3_600_000: "h", 14_400_000: "4h", 86_400_000: "D"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomalies:
    """Opens of the bars whose close TimeGPT did not expect."""

    open_ms: IntArray


class TimeGPT:
    """Forecasts by TimeGPT over the network; the same bars may be answered differently another day."""

    name = "timegpt"
    window = 720
    min_bars = 100

    def forecast(self, bars: Bars, horizon_ms: int) -> ReturnForecast:
        """The distribution of the return over ``horizon_ms``: its 90 % interval as a normal law of the log return.

        Raises Unavailable without a key, with too little history, or where the service does not answer; BadArguments
        for a horizon that such bars cannot carry.
        """
        steps, rest = divmod(horizon_ms, bars.step_ms)
        if rest or not 1 <= steps <= MAX_STEPS:
            raise BadArguments(
                f"horizon of {horizon_ms / 1000:g} s: expected 1 to {MAX_STEPS} bars of {duration_text(bars.step_ms)}"
            )
        said = self._asked(
            bars, lambda client, series: client.forecast(series, h=steps, level=[LEVEL], model=MODEL, freq=_freq(bars))
        )
        close = float(bars.close[-1])
        try:
            last = said.iloc[steps - 1]
            middle, low, high = (
                float(last[name]) for name in ("TimeGPT", f"TimeGPT-lo-{LEVEL}", f"TimeGPT-hi-{LEVEL}")
            )
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise Unavailable(f"TimeGPT answered without {error} for {bars.instrument}") from error
        if not 0 < low < high or not low <= middle <= high or not math.isfinite(high):
            raise Unavailable(f"TimeGPT answered {low:g}, {middle:g}, {high:g} for {bars.instrument}: no distribution")
        volatility = math.log(high / low) / (2.0 * _Z95)
        return ReturnForecast(
            p_up=min(0.98, max(0.02, 0.5 * math.erfc(-math.log(middle / close) / volatility / math.sqrt(2.0)))),
            q05=low / close - 1.0,
            q50=middle / close - 1.0,
            q95=high / close - 1.0,
            volatility=volatility,
        )

    def anomalies(self, bars: Bars) -> Anomalies:
        """The bars of the window that TimeGPT finds anomalous. Raises Unavailable."""
        said = self._asked(
            bars, lambda client, series: client.detect_anomalies(series, level=99, model=MODEL, freq=_freq(bars))
        )
        flags = np.asarray(said["anomaly"], bool)
        opens = bars.open_ms[-self.window :]
        if not 0 < len(flags) <= len(opens):
            raise Unavailable(f"TimeGPT answered {len(flags)} flags for {len(opens)} bars of {bars.instrument}")
        return Anomalies(open_ms=opens[-len(flags) :][flags])

    def _asked(self, bars: Bars, question: Callable[[Any, Any], Any]) -> Any:
        """The client's table for a question about the last closes of ``bars``."""
        key = os.environ.get(KEY)
        if not key:
            raise Unavailable(f"TimeGPT needs a key: set {KEY}")
        if len(bars) < self.min_bars:
            raise Unavailable(f"{bars.instrument}: TimeGPT needs {self.min_bars} closed bars, there are {len(bars)}")
        _freq(bars)
        if int(np.diff(bars.open_ms[-self.window :]).max()) > bars.step_ms:
            raise Unavailable(f"{bars.instrument}: there is a hole in the last {self.window} bars, TimeGPT takes none")

        import httpx
        import pandas as pd  # type: ignore[import-untyped]  # it has no types of its own

        client, failures = _client(key, os.environ.get(BASE_URL))
        opens = pd.to_datetime(bars.open_ms[-self.window :], unit="ms")
        series = pd.DataFrame({"unique_id": bars.instrument, "ds": opens, "y": bars.close[-self.window :]})
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "detect_anomalies", FutureWarning)  # gone in 1.0; the lock holds 0.9
                return question(client, series)
        except (
            failures,
            httpx.HTTPError,
            ArithmeticError,
            AttributeError,
            LookupError,
            TypeError,
            ValueError,
        ) as error:
            # the client takes the shape of an answer for granted: what it trips over is a wrong answer
            raise Unavailable(f"TimeGPT did not answer: {type(error).__name__}: {str(error)[:200]}") from error


def _freq(bars: Bars) -> str:
    """The length of a bar as pandas says it."""
    found = _FREQUENCIES.get(bars.step_ms)
    if found is None:
        raise BadArguments(f"TimeGPT is asked with bars of 1m, 15m, 1h, 4h or 1d, not {duration_text(bars.step_ms)}")
    return found


@cache
def _client(key: str, base_url: str | None) -> tuple[Any, type[Exception]]:
    """Nixtla's client, kept with what it learnt of the model, and the error it raises for a refusal."""
    root = logging.getLogger()
    quiet = logging.NullHandler()
    root.addHandler(quiet)  # with a handler there, the client leaves the log of the process as it is
    try:
        import nixtla
        from nixtla.nixtla_client import ApiError
    finally:
        root.removeHandler(quiet)
    logging.getLogger("nixtla").setLevel(logging.CRITICAL)
    client = nixtla.NixtlaClient(
        api_key=key, base_url=base_url, timeout=TIMEOUT_S, max_retries=ATTEMPTS, retry_interval=RETRY_S
    )
    return client, ApiError


FORECASTER = TimeGPT()
