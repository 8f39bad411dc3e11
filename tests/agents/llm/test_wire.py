"""A desk of a real provider's models, over HTTP: OpenAI's wire format from a server on this machine."""

import json
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from graphs import DeskGraph
from tests.agents.staging import GOOD, seat, team
from trading.domain import DecisionStatus

pytestmark = pytest.mark.asyncio
TOOLS = {"analyst_report": "get_quote", "forecaster_report": "get_forecast", "risk_report": "get_account"}


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Only this machine can be reached."""
    connect = socket.socket.connect

    def local_only(self, address):
        assert address[0] in ("127.0.0.1", "localhost", "::1"), f"a socket was connected: {address}"
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", local_only)


class Maker:
    """What the server was asked, and the faults it still has to play: an HTTP status, or a word for something worse."""

    def __init__(self):
        self.asked = []
        self.faults = []

    def reply(self, request):
        """The completion for a request: a tool call first, then the answer."""
        name = request["response_format"]["json_schema"]["name"]
        message = {"role": "assistant", "content": json.dumps(GOOD[name])}
        if name in TOOLS and request["messages"][-1]["role"] == "user":
            call = {"id": "call_a", "type": "function", "function": {"name": TOOLS[name], "arguments": "{}"}}
            message = {"role": "assistant", "content": None, "tool_calls": [call]}
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "gpt-4o-2024-08-06",
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
        }


@contextmanager
def serving(maker):
    """The server, on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            maker.asked.append((self.headers["authorization"], request))
            fault = maker.faults.pop(0) if maker.faults else None
            if fault == "hang":
                time.sleep(1.5)
            if fault == "reset":
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            status = fault if isinstance(fault, int) else 200
            body = {"error": {"message": "no", "type": "x", "code": str(status)}}
            text = json.dumps(maker.reply(request) if fault is None else body)
            if fault == "truncated":
                text = text[: len(text) // 2]
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_):
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_):
            """A client that hung up is part of the plan."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def maker(monkeypatch):
    found = Maker()
    with serving(found) as url:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        monkeypatch.setenv("OPENAI_API_BASE", url)
        yield found


async def test_desk_of_openai_models_decides(maker):
    decision = await DeskGraph(None, "exit").decide(team("openai/gpt-4o"), seat())
    assert decision.status is DecisionStatus.ACTED, (decision.abstain_reason, decision.notes)
    assert [call.role for call in decision.model_calls].count("analyst") == 2
    assert {call.model_answered for call in decision.model_calls} == {"gpt-4o-2024-08-06"}
    assert {call.tokens_in for call in decision.model_calls} == {1000}
    assert all(call.usd and call.usd > 0 for call in decision.model_calls)
    assert {call.tool for call in decision.tool_calls} == set(TOOLS.values())
    for key, request in maker.asked:
        assert key == "Bearer sk-test-0123456789"
        assert request["response_format"]["json_schema"]["strict"] is True
        assert request["tool_choice"] == "auto"
        assert not {"metadata", "num_retries", "max_retries", "_skip_mcp_handler"} & request.keys()
    assert "sk-test" not in repr(decision)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (429, "rate_limited"),
        (500, "unavailable"),
        (529, "unavailable"),
        (401, "auth"),
        (404, "unknown_model"),
        (400, "bad_request"),
        ("reset", "unavailable"),
        ("hang", "timeout"),
        ("truncated", "garbled"),
        ("error body", "unavailable"),
    ],
)
async def test_fault_on_the_wire_is_an_abstention_after_one_request(maker, fault, reason):
    maker.faults = [fault] * 2
    decision = await DeskGraph(None, "exit").decide(team("openai/gpt-4o"), seat(deadline_s=0.8 if fault == "hang" else 20.0))
    assert decision.status is DecisionStatus.ABSTAINED
    assert decision.abstain_reason == f"analyst: {reason}"
    assert len(maker.asked) == 2, "nothing is retried behind the desk's back"
    assert "sk-test" not in repr(decision)
