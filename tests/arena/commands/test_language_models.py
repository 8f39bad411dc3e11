"""Language models asked over HTTP from a server of our own: what they cost is on record, what fails abstains."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

KEY = "sk-test-3f1e9b7c5d2a4860"
SEASON = """
[season]
name = "models"
start = 2026-01-01T00:00:00Z
end = 2026-01-01T03:00:00Z
every = "1h"
capital = 10000

[market]
kind = "simulated"
instruments = ["BTC-USDT-PERP"]

[[desk]]
name = "asked"
model = "openai/gpt-5-mini"

[[desk]]
name = "mixed"
models.analyst = "house/momentum"
models.forecaster = "house/momentum"
models.risk = "house/momentum"
models.executor = "openai/gpt-5-mini"

[[desk]]
name = "ruled"
model = "house/buyhold"
"""

ANSWERS: dict[str, Any] = {
    "analyst": {"summary": "It moves.", "signals": [], "confidence": 0.5},
    "forecaster": {
        "summary": "Up, perhaps.",
        "forecasts": [
            {"instrument": "BTC-USDT-PERP", "horizon_s": 3600, "p_up": 0.6, "q05": -0.02, "q50": 0.001, "q95": 0.02}
        ],
    },
    "risk": {"stance": "proceed", "max_gross_leverage": None, "objection": None, "summary": "Small enough."},
    "buy": {
        "action": "trade", "confidence": 0.6, "rationale": "A little of it.",
        "intents": [
            {
                "instrument": "BTC-USDT-PERP", "side": "buy", "quantity": "0.01", "order_type": "market",
                "limit_price": None, "reduce_only": False, "good_for_rounds": 1, "reason": "it may rise",
            }
        ],
    },
    "hold": {"action": "hold", "confidence": 0.4, "rationale": "Enough of it.", "intents": []},
}  # fmt: skip


class Provider(ThreadingHTTPServer):
    """Answers chat completions: a tool call first where there are tools, then what the role is asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict[str, Any]] = []
        self.keys: set[str] = set()
        self.say: str | None = None
        self.status = 200

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(body)
        fields = _wanted(body)
        message: dict[str, Any] = {"role": "assistant", "content": None}
        tools = {tool["function"]["name"] for tool in body.get("tools") or ()}
        calls_tool = tools and body["messages"][-1]["role"] == "user" and "get_account" in tools
        if calls_tool:
            function = {"name": "get_account", "arguments": "{}"}
            message["tool_calls"] = [{"id": "call_1", "type": "function", "function": function}]
        else:
            role = next((role for role, answer in ANSWERS.items() if set(answer) == fields), "hold")
            if role == "buy" and '"round":1,' not in json.dumps(body["messages"]).replace(" ", "").replace("\\", ""):
                role = "hold"
            message["content"] = self.say or json.dumps(ANSWERS[role])
        return {
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-5-mini-2025-08-07",
            "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls" if calls_tool else "stop"}],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050},
        }  # fmt: skip


def _wanted(body: dict[str, Any]) -> set[str]:
    """The fields of the answer that is asked for, by its schema or, the second time, by the text of it."""
    if "response_format" in body:
        return set(body["response_format"]["json_schema"]["schema"]["properties"])
    told = body["messages"][0]["content"]
    start = told.index("{", told.index("The JSON schema of your answer"))
    return set(json.JSONDecoder().raw_decode(told[start:])[0]["properties"])


class _Handler(BaseHTTPRequestHandler):
    server: Provider
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.keys.add(self.headers["authorization"])
        found: dict[str, Any] = {"error": {"message": f"no, {self.headers['authorization']}", "type": "x", "code": "x"}}
        if self.server.status == 200:
            found = self.server.answer(body)
        data = json.dumps(found).encode()
        self.send_response(self.server.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@pytest.fixture
def provider() -> Iterator[Provider]:
    server = Provider()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def play(lab: Any, tmp_path: Path) -> Any:
    """Plays the season with a key for the provider at an address."""
    season = tmp_path / "models.toml"
    season.write_text(SEASON, "utf-8")

    def play(address: str, *more: str) -> Any:
        said = lab.call(
            "run", season, "--home", tmp_path / "home", "--json", *more,
            OPENAI_API_KEY=KEY, OPENAI_BASE_URL=address, OPENAI_API_BASE=address,
        )  # fmt: skip
        assert KEY not in said.out + said.err
        for path in (tmp_path / "home").rglob("*"):
            assert not path.is_file() or KEY.encode() not in path.read_bytes(), f"the key stands in {path.name}"
        return said

    return play


def address_of(provider: Provider) -> str:
    return f"http://127.0.0.1:{provider.server_address[1]}/v1"


def desks_of(said: Any) -> dict[str, Any]:
    assert said.code == 0, said.err
    return {desk["desk"]: desk for desk in said.document["desks"]}


def test_language_models_decide_act_and_hold_and_their_cost_is_on_record(
    play: Any, provider: Provider, lab: Any, tmp_path: Path
) -> None:
    desks = desks_of(play(address_of(provider)))
    assert provider.keys == {f"Bearer {KEY}"}
    asked = desks["asked"]
    assert asked["kind"] == "llm"
    assert (asked["acted"], asked["held"], asked["abstained"]) == (1, 2, 0)
    assert asked["fills"] == 1
    assert asked["forecasts"] == 3
    assert asked["llm_calls"] >= 3 * 4
    assert asked["tokens_in"] == 1000 * asked["llm_calls"]
    assert asked["tokens_out"] == 50 * asked["llm_calls"]
    assert asked["usd"] > 0
    assert desks["mixed"]["kind"] == "llm"
    assert 0 < desks["mixed"]["usd"] < asked["usd"]
    assert (desks["ruled"]["kind"], desks["ruled"]["usd"]) == ("rule-based", 0)
    assert lab.call("journal", "export", "--home", tmp_path / "home", "--to", tmp_path / "out").code == 0
    calls = pq.read_table(tmp_path / "out" / "llm_calls.parquet").to_pylist()
    mine = [call for call in calls if call["desk"] == "asked"]
    assert {call["model_requested"] for call in mine} == {"openai/gpt-5-mini"}
    assert {call["model_answered"] for call in mine} == {"gpt-5-mini-2025-08-07"}
    assert {call["outcome"] for call in mine} == {"ok"}
    tools = pq.read_table(tmp_path / "out" / "tool_calls.parquet").to_pylist()
    assert any(call["desk"] == "asked" and call["tool"] == "get_account" for call in tools)


def test_a_table_of_language_models_names_them(play: Any, provider: Provider, lab: Any, tmp_path: Path) -> None:
    play(address_of(provider))
    table = lab.call("standings", "--home", tmp_path / "home").out
    row = next(line for line in table.splitlines() if " asked " in line)
    assert "gpt-5-mini" in row
    assert "rules" not in row


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ({"status": 500}, "unavailable"),
        ({"status": 401}, "auth"),
        ({"status": 429}, "rate_limited"),
        ({"say": "I would rather not."}, "malformed_json"),
        ({"say": "{}"}, "invalid_answer"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_model_that_gives_no_answer_abstains_with_the_reason(
    play: Any, provider: Provider, lab: Any, tmp_path: Path, spoil: dict[str, Any], reason: str
) -> None:
    for name, value in spoil.items():
        setattr(provider, name, value)
    desks = desks_of(play(address_of(provider), "--set", "season.end=2026-01-01T02:00:00Z"))
    assert desks["asked"]["abstained"] == desks["asked"]["decisions"] == 2
    assert desks["mixed"]["abstained"] == 2
    assert desks["ruled"]["abstained"] == 0
    assert desks["asked"]["orders"] == 0
    lab.call("journal", "export", "--home", tmp_path / "home", "--to", tmp_path / "out")
    decisions = pq.read_table(tmp_path / "out" / "decisions.parquet").to_pylist()
    told = {row["abstain_reason"] for row in decisions if row["desk"] == "asked"}
    assert len(told) == 1
    assert reason in told.pop()


def test_a_provider_that_is_not_there_lets_the_season_go_on(play: Any, provider: Provider) -> None:
    address = address_of(provider)
    provider.shutdown()
    provider.server_close()
    said = play(address)
    desks = desks_of(said)
    assert desks["asked"]["abstained"] == 3
    assert desks["asked"]["tokens_in"] == 0, "nothing was ever sent"
    assert desks["asked"]["usd"] == 0.0
    assert "Traceback" not in said.err
    assert said.document["status"] == "finished"


def test_what_the_gate_refused_stands_in_the_next_prompt_of_the_desk_that_caused_it(
    play: Any, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    much = {**ANSWERS["buy"]["intents"][0], "quantity": "900"}
    monkeypatch.setitem(ANSWERS, "buy", {**ANSWERS["buy"], "confidence": 0.9, "intents": [much]})
    desks_of(play(address_of(provider)))
    prompts = [json.dumps(body["messages"]).replace("\\", "") for body in provider.asked]
    rounds = {number: [text for text in prompts if f'"round":{number},' in text] for number in (1, 2)}
    told = "by max_order_fraction: The order opens"
    assert not any(f"The gate resized your buy of BTC-USDT-PERP {told}" in text for text in rounds[1])
    assert any(f"The gate resized your buy of BTC-USDT-PERP {told}" in text for text in rounds[2])


def test_a_doubtful_model_opens_less_and_is_told(play: Any, provider: Provider, lab: Any, tmp_path: Path) -> None:
    desks_of(play(address_of(provider)))
    assert any("A confidence of 0.60 was stated" in json.dumps(body["messages"]) for body in provider.asked)
    assert lab.call("journal", "export", "--home", tmp_path / "home", "--to", tmp_path / "out").code == 0
    rows = pq.read_table(tmp_path / "out" / "verdicts.parquet").to_pylist()
    doubted = [row for row in rows if row["rule"] == "confidence"]
    assert doubted
    assert {(row["ruling"], str(row["quantity_after"])) for row in doubted} == {("resized", "0.004")}
