"""TimeGPT by Nixtla's client against a server on loopback that speaks its wire format, and that speaks nonsense."""

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import numpy as np
import pytest

from tests.trading.forecasting.conftest import bars_of
from tests.trading.forecasting.markets import HOUR_MS
from trading.domain.errors import BadArguments, Unavailable
from trading.forecasting import discover
from trading.forecasting.models.timegpt import TimeGPT
from trading.marketdata import Bars


class Nixtla(BaseHTTPRequestHandler):
    """The service's wire format on loopback; keeps what it was asked."""

    asked: ClassVar[list[tuple[str, dict[str, Any]]]] = []
    broken: ClassVar[tuple[int, Any] | None] = None

    def do_GET(self) -> None:
        self._answer(200, {"detail": {"input_size": 48, "horizon": 24}})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append((self.path, body))
        if self.headers["authorization"] != "Bearer key" or self.broken is not None:
            self._answer(*(self.broken or (401, {"detail": "no"})))
            return
        last = body["series"]["y"][-1]
        if "anomaly" in self.path:
            count = len(body["series"]["y"]) - 10
            flags = [at == count - 1 for at in range(count)]
            level = {f"{side}-99": [last] * count for side in ("lo", "hi")}
            self._answer(
                200, {"mean": [last] * count, "sizes": [count], "intervals": level, "anomaly": flags, "weights_x": None}
            )
            return
        steps = body["h"]
        bands = {"lo-90": [last * 0.98] * steps, "hi-90": [last * 1.03] * steps}
        tokens = {"input_tokens": 1, "output_tokens": 1, "finetune_tokens": 0}
        self._answer(
            200,
            {
                "mean": [last * 1.01] * steps,
                "intervals": bands,
                "weights_x": None,
                "feature_contributions": None,
                **tokens,
            },
        )

    def _answer(self, status: int, document: Any) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None: ...


@pytest.fixture
def nixtla(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Nixtla]]:
    server = HTTPServer(("127.0.0.1", 0), Nixtla)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    monkeypatch.setenv("NIXTLA_API_KEY", "key")
    monkeypatch.setenv("NIXTLA_BASE_URL", f"http://127.0.0.1:{server.server_port}")
    Nixtla.asked, Nixtla.broken = [], None
    yield Nixtla
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def bars() -> Bars:
    return bars_of(100 * np.exp(np.cumsum(np.random.default_rng(8).normal(0, 0.01, 800))))


def test_timegpt_speaks_its_wire_format_and_answers_as_a_forecaster(nixtla: type[Nixtla], bars: Bars) -> None:
    handlers = list(logging.getLogger().handlers)
    found = discover()["timegpt"].forecast(bars, 4 * HOUR_MS)
    assert (found.q05, found.q50, found.q95) == pytest.approx((-0.02, 0.01, 0.03), rel=1e-4)  # it sends float32
    assert 0.5 < found.p_up < 0.98
    path, body = nixtla.asked[-1]
    assert path == "/v2/forecast"
    assert (body["h"], body["level"], body["freq"], body["model"]) == (4, [90], "h", "timegpt-1")
    sent = body["series"]["y"]
    assert sent == pytest.approx(bars.close[-len(sent) :].tolist())
    assert body["series"]["sizes"] == [len(sent)]
    assert 48 <= len(sent) <= 720
    assert logging.getLogger().handlers == handlers


def test_timegpt_finds_anomalies(nixtla: type[Nixtla], bars: Bars) -> None:
    assert TimeGPT().anomalies(bars).open_ms.tolist() == [799 * HOUR_MS]
    path, body = nixtla.asked[-1]
    assert path == "/v2/anomaly_detection"
    assert body["series"]["sizes"] == [720]
    assert body["level"] == 99


@pytest.mark.parametrize(
    "broken",
    [
        (401, {"detail": "no"}),
        (200, {"mean": [], "intervals": None, "weights_x": None}),
        (200, {"mean": [1.0] * 4, "intervals": {"lo-90": [2.0] * 4, "hi-90": [1.0] * 4}, "weights_x": None}),
        (200, {"mean": ["high"] * 4, "intervals": {"lo-90": ["low"] * 4, "hi-90": [1.0] * 4}, "weights_x": None}),
        (200, {"mean": [1.0] * 4, "intervals": None, "weights_x": None}),
        (200, {"data": {"mean": None}}),
        (200, []),
        (200, 7),
    ],
)
def test_a_wrong_answer_of_timegpt_is_no_forecast(nixtla: type[Nixtla], bars: Bars, broken: tuple[int, Any]) -> None:
    nixtla.broken = broken
    with pytest.raises(Unavailable, match=r"TimeGPT (did not answer|answered)"):
        TimeGPT().forecast(bars, 4 * HOUR_MS)
    with pytest.raises(Unavailable, match=r"TimeGPT (did not answer|answered)"):
        TimeGPT().anomalies(bars)


def test_what_timegpt_cannot_carry_is_not_asked(nixtla: type[Nixtla], bars: Bars) -> None:
    with pytest.raises(BadArguments, match="1 to 168 bars"):
        TimeGPT().forecast(bars, HOUR_MS // 2)
    with pytest.raises(BadArguments, match="not 7m"):
        TimeGPT().anomalies(bars_of(bars.close, 7 * 60_000))
    with pytest.raises(Unavailable, match="needs 100 closed bars, there are 50"):
        TimeGPT().forecast(bars_of(bars.close[:50]), HOUR_MS)
    assert nixtla.asked == []


def test_timegpt_is_silent_without_a_key(monkeypatch: pytest.MonkeyPatch, bars: Bars) -> None:
    monkeypatch.delenv("NIXTLA_API_KEY", raising=False)
    with pytest.raises(Unavailable, match="set NIXTLA_API_KEY"):
        TimeGPT().forecast(bars, HOUR_MS)
