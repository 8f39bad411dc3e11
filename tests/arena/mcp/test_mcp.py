"""The MCP server under the official client: in a child process over stdio, and over HTTP on loopback."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import mcp
import pytest

from arena.mcp.desk import Chosen, Desk
from arena.mcp.server import build_server
from arena.mcp.transports import http_app
from arena.records import shelf_of
from arena.seasons.standings import standings_document
from arena.settings import Settings
from tests.arena.houses import House, listening
from tools.registry import MAX_RESULT_BYTES, Effect, discover
from trading.domain.errors import RequestError
from trading.risk import KillSwitch

ROOT = Path(__file__).parents[3]
SYMBOL = "BTC-USDT-PERP"
ORDER = {"orders": [{"instrument": SYMBOL, "side": "buy", "quantity": "0.001"}]}
READING = {name for name, one in discover().items() if one.effect in (Effect.READ, Effect.THINK)}


def command(home: Path, *options: str) -> tuple[list[str], dict[str, str]]:
    words = ["-m", "arena.cli", "mcp", "--home", str(home), *options]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRADEFLOOR_")}
    return words, {**kept, "PYTHONPATH": str(ROOT)}


def over_stdio(home: Path, ask: Callable[[Any], Awaitable[Any]], *options: str) -> Any:
    """What ``ask`` comes to with a client of a child process."""
    words, environment = command(home, *options)
    server = mcp.StdioServerParameters(command=sys.executable, args=words, env=environment, cwd=ROOT)

    async def main() -> Any:
        async with mcp.Client(server) as client:
            return await ask(client)

    return asyncio.run(main())


@pytest.mark.slow
def test_a_child_process_lists_and_calls_the_tools_of_a_desk(played: House) -> None:
    async def ask(client: Any) -> Any:
        listed = await client.list_tools()
        account = await client.call_tool("get_account", {})
        candles = await client.call_tool("get_candles", {"instrument": SYMBOL, "count": 100})
        wrong = await client.call_tool("get_candles", {"instrument": SYMBOL, "counts": 3})
        stranger = await client.call_tool("send_order", {})
        proposed = await client.call_tool("propose_order", ORDER)
        return listed.tools, account, candles, wrong, stranger, proposed

    home = played.services.home
    tools, account, candles, wrong, stranger, proposed = over_stdio(home, ask, "--desk", "equalweight")
    assert {one.name for one in tools} == READING
    for one in tools:
        found = discover()[one.name]
        assert one.input_schema == found.args.model_json_schema()
        assert one.description == found.description
        assert one.output_schema["properties"].keys() == found.result.model_fields.keys()
    row = next(row for row in standings_document(shelf_of(home).latest())["desks"] if row["desk"] == "equalweight")
    assert (account.is_error, account.structured_content["equity"]) == (False, row["equity_end"])
    assert account.structured_content["as_of"] == "2026-01-02T00:00:00Z"
    assert len(candles.content[0].text.encode()) <= MAX_RESULT_BYTES
    assert candles.structured_content["rows"][-1][0] == "2026-01-01T23:00:00Z"
    assert wrong.is_error
    assert "counts" in wrong.content[0].text
    assert stranger.is_error
    assert "there is no tool" in stranger.content[0].text
    assert proposed.is_error
    assert "not yours to call" in proposed.content[0].text


@pytest.mark.slow
def test_nothing_but_the_protocol_is_on_stdout(played: House) -> None:
    words, environment = command(played.services.home)
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    asked = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "get_quote", "arguments": {}}},
    ]
    with subprocess.Popen(
        [sys.executable, *words], cwd=ROOT, env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        answers = []
        for message in asked:
            process.stdin.write(json.dumps(message) + "\n")
            process.stdin.flush()
            if "id" in message:
                answers.append(json.loads(process.stdout.readline()))
        process.stdin.write("this is no JSON\n")
        rest, errors = process.communicate(timeout=60)
    assert [one["id"] for one in answers] == [1, 2]
    assert answers[1]["result"]["structuredContent"]["quotes"][0]["instrument"] == SYMBOL
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in rest.splitlines())
    assert process.returncode == 0, errors


def test_over_http_a_proposal_is_ruled_on_where_that_was_allowed_and_nothing_is_sent(played: House) -> None:
    home = played.services.home
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}

    async def ask(url: str) -> Any:
        async with mcp.Client(url) as client:
            names = {one.name for one in (await client.list_tools()).tools}
            allowed = await client.call_tool("propose_order", ORDER)
            huge = await client.call_tool(
                "propose_order", {"orders": [{"instrument": SYMBOL, "side": "buy", "quantity": "1000"}]}
            )
            read = [await client.read_resource(one.uri) for one in (await client.list_resources()).resources]
            with pytest.raises(mcp.MCPError, match="there is no resource"):
                await client.read_resource("tradefloor://accounts")
            return names, allowed, huge, [json.loads(one.contents[0].text) for one in read]

    app = http_app(build_server(played.services.settings, Chosen(allow_propose=True)), host="127.0.0.1", path="/mcp")
    with listening(app) as address:
        names, allowed, huge, (standings, decisions) = asyncio.run(ask(f"{address}/mcp"))
        foreign = httpx.post(f"{address}/mcp", headers={"Host": "evil.example"}, json={})
        page = httpx.post(f"{address}/mcp", headers={"Origin": "https://evil.example"}, json={})
    assert names == READING | {"propose_order"}
    assert allowed.structured_content["verdicts"][0]["ruling"] == "allowed"
    assert huge.structured_content["verdicts"][0]["ruling"] in ("resized", "refused")
    assert standings == standings_document(shelf_of(home).latest())
    assert decisions["of"] == 48
    assert len(decisions["decisions"]) == 48
    assert decisions["decisions"][0]["round"] == 23
    assert foreign.status_code in (400, 403, 421)
    assert page.status_code in (400, 403)
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


def test_a_halt_counts_for_proposals_at_once(played: House, tmp_path: Path) -> None:

    home = shutil.copytree(played.services.home, tmp_path / "home")
    desk = Desk(Settings.load({"home": home}), Chosen(allow_propose=True))
    assert json.loads(desk.call("propose_order", json.dumps(ORDER)).content)["verdicts"][0]["ruling"] == "allowed"
    KillSwitch(home).halt("a look first")
    (verdict,) = json.loads(desk.call("propose_order", json.dumps(ORDER)).content)["verdicts"]
    assert verdict["ruling"] == "refused"
    assert "a look first" in verdict["message"]
    KillSwitch(home).resume("looked")
    assert json.loads(desk.call("propose_order", json.dumps(ORDER)).content)["verdicts"][0]["ruling"] == "allowed"


@pytest.mark.parametrize("chosen", [Chosen(run="none-1"), Chosen(desk="nobody")])
def test_a_run_or_desk_that_is_not_there_is_refused_before_anything_is_served(played: House, chosen: Chosen) -> None:
    with pytest.raises(RequestError, match=r"none-1|nobody"):
        build_server(played.services.settings, chosen)


def test_a_house_without_a_run_says_so_in_an_error_of_the_tool(tmp_path: Path) -> None:

    server = build_server(Settings.load({"home": tmp_path}), Chosen())

    async def ask() -> Any:
        async with mcp.Client(server) as client:
            return await client.call_tool("get_quote", {})

    answer = asyncio.run(ask())
    assert answer.is_error
    assert "start one with" in answer.content[0].text
