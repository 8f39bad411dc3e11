"""The loopback server: it answers, it breaks off, and it closes at once whatever hangs."""

import asyncio
import http.client
import time
from urllib.parse import urlsplit

import pytest

from tests.wire import Fault, FaultPlan, MakerSetup, serve_makers
from tests.wire.loopback import HOST, HttpRequest, Line, Loopback


async def echo(request: HttpRequest, line: Line) -> None:
    await line.send(200, {"x-path": request.path}, request.body)


def test_one_connection_carries_many_requests() -> None:
    with Loopback() as loopback:
        connection = http.client.HTTPConnection(HOST, loopback.add(echo), timeout=2)
        for number in range(3):
            connection.request("POST", f"/{number}?key=x", body=b"a" * 100_000 * number)
            response = connection.getresponse()
            assert response.getheader("x-path") == f"/{number}"
            assert response.read() == b"a" * 100_000 * number
        connection.close()


def test_a_stream_arrives_whole() -> None:
    async def pieces(request: HttpRequest, line: Line) -> None:
        await line.stream({}, (f"{number},".encode() for number in range(4)))

    with Loopback() as loopback:
        connection = http.client.HTTPConnection(HOST, loopback.add(pieces), timeout=2)
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"0,1,2,3,"
        connection.close()


def test_a_reset_comes_in_the_middle_of_the_body() -> None:
    async def reset(request: HttpRequest, line: Line) -> None:
        await line.reset({}, [b"x" * 1000], streamed=False)

    with Loopback() as loopback:
        connection = http.client.HTTPConnection(HOST, loopback.add(reset), timeout=2)
        connection.request("GET", "/")
        with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
            connection.getresponse().read()
        connection.close()


def test_what_hangs_does_not_hold_up_the_end() -> None:
    with serve_makers(MakerSetup(name="openai", faults=FaultPlan.always(Fault.HANG))) as makers:
        address = urlsplit(makers["openai"].base_url)
        connections = [http.client.HTTPConnection(HOST, address.port or 0, timeout=5) for _ in range(20)]
        for connection in connections:
            headers = {"authorization": f"Bearer {makers['openai'].api_key}"}
            connection.request("POST", "/v1/chat/completions", '{"model":"m","messages":[]}', headers)
        time.sleep(0.1)
        leaving = time.perf_counter()
    assert time.perf_counter() - leaving < 4.0
    for connection in connections:
        connection.close()
    assert [call.kind for call in makers["openai"].ledger.calls] == ["none"] * 20


def test_only_this_machine_is_served() -> None:
    with serve_makers("openai", "anthropic", "gemini", "ollama") as makers:
        for maker in makers.values():
            assert urlsplit(maker.base_url).hostname == "127.0.0.1"
        bases = [value for name, value in makers.environment.items() if "KEY" not in name]
        assert sorted(bases) == sorted(maker.base_url for maker in makers.values())


async def _many(port: int, count: int) -> float:
    async def one() -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        body = b'{"model":"llama3.1","messages":[],"stream":false}'
        writer.write(b"POST /api/chat HTTP/1.1\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(count)))
    return time.perf_counter() - started


@pytest.mark.asyncio
async def test_fifty_callers_wait_no_longer_than_one() -> None:
    with serve_makers(MakerSetup(name="ollama", latency_s=0.5)) as makers:
        port = urlsplit(makers["ollama"].base_url).port or 0
        assert 0.5 <= await _many(port, 1) < 1.0
        makers["ollama"].ledger.clear()
        assert await _many(port, 50) < 1.0
        assert makers["ollama"].ledger.peak_in_flight() == 50
