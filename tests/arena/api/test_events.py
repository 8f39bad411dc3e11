"""The event stream over a real server: nothing is missed or told twice, however often a listener comes back."""

import asyncio
import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest

from arena.api import stream
from arena.api.app import create_api
from arena.api.stream import Asked, RunFeed
from tests.arena.houses import House, listening, open_house
from trading.storage.journal import read_events
from trading.storage.runs import RunFolder, Runs


def folder_of(house: House) -> RunFolder:
    return Runs(house.services.home).get(house.run_id)


def messages(response: httpx.Response) -> Iterator[dict[str, str]]:
    """The messages of a stream, comments under an empty name."""
    message: dict[str, str] = {}
    for line in response.iter_lines():
        if line:
            name, _, value = line.partition(": ")
            message[name] = value
        elif message:
            yield message
            message = {}


def listen(url: str, count: int | None = None, **headers: str) -> list[dict[str, str]]:
    """The first ``count`` messages that carry data, or all of a stream that ends."""
    with httpx.stream("GET", f"{url}", headers=headers, timeout=60) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        return list(islice((one for one in messages(response) if "data" in one), count))


@pytest.fixture(scope="module")
def served(played: House) -> Iterator[str]:
    with listening(create_api(played.services)) as address:
        yield f"{address}/api/v1/events"


def test_a_finished_run_is_told_whole_and_ends(served: str, played: House) -> None:
    told = listen(served)
    stored = list(read_events(folder_of(played).journal))
    assert [int(one["id"]) for one in told[:-1]] == [event.seq for event in stored]
    assert told[-1]["event"] == "end"
    first = json.loads(told[0]["data"])
    assert first["payload"] == stored[0].event().payload
    assert (first["seq"], first["kind"], first["at"]) == (1, "season_opened", "2026-01-01T00:00:00Z")
    assert first["hash"] == stored[0].hash


def test_whoever_comes_back_goes_on_where_it_left(served: str, played: House) -> None:
    last = list(read_events(folder_of(played).journal))[-1].seq
    read = listen(served, 40)
    for begun in (f"{served}?after={read[-1]['id']}", served):
        rest = listen(begun, **{"Last-Event-ID": read[-1]["id"]})
        seqs = [int(one["id"]) for one in [*read, *rest[:-1]]]
        assert seqs == list(range(1, last + 1))
    assert httpx.get(served, headers={"Last-Event-ID": str(last)}).status_code == 204


def test_filters_keep_kind_and_desk(served: str, played: House) -> None:
    told = listen(f"{served}?kind=decided&kind=ordered&desk=momentum")
    stored = [
        event.seq
        for event in read_events(folder_of(played).journal, kinds=("decided", "ordered"))
        if event.event().payload["desk"] == "momentum"
    ]
    assert [int(one["id"]) for one in told[:-1]] == stored
    assert stored


@pytest.mark.parametrize(
    ("query", "status"), [("kind=dreamt", 422), ("after=-1", 422), ("desk=nobody", 404), ("run=none-1", 404)]
)
def test_rubbish_is_refused_before_anything_is_told(served: str, query: str, status: int) -> None:
    answer = httpx.get(f"{served}?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert httpx.get(served, headers={"Last-Event-ID": "x"}).status_code == 422


def test_so_many_may_listen_and_no_more(served: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arena.api.routes.events.MOST_LISTENERS", 0)
    answer = httpx.get(served)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "10")


@pytest.mark.slow
def test_a_season_that_goes_on_is_told_whole_across_cuts_and_a_restart(tmp_path: Path) -> None:
    """Two listeners, one that leaves again and again; the server is stopped in between, and the season with it."""
    seen: list[int] = []
    patient: list[int] = []
    home = tmp_path / "home"
    for _ in range(2):
        with (
            open_house(home, end="2026-02-01T00:00:00Z", round_s=0.05) as house,
            listening(create_api(house.services)) as address,
        ):
            house.wait(lambda snapshot: snapshot.round_index > 0)
            url = f"{address}/api/v1/events"
            for _ in range(3):
                headers = {"Last-Event-ID": str(seen[-1])} if seen else {}
                seen += [int(one["id"]) for one in listen(url, 150, **headers)]
            begun = f"{url}?after={patient[-1] if patient else 0}"
            patient += [int(one["id"]) for one in listen(begun, 400)]
            folder = folder_of(house)
    assert seen == list(range(1, len(seen) + 1))
    assert patient == list(range(1, len(patient) + 1))
    assert len(seen) == 900
    assert seen[-1] <= max(event.seq for event in read_events(folder.journal))


async def until(true: Callable[[], bool]) -> None:
    """Come back as soon as it is true; fail when it is not in time."""
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110  (what is waited for has no event of its own)
            await asyncio.sleep(0.01)


def parsed(piece: bytes) -> dict[str, Any]:
    lines = dict(line.split(": ", 1) for line in piece.decode().splitlines() if ": " in line and line[0] != ":")
    return {**lines, "data": json.loads(lines.get("data", "null"))}


def test_who_falls_too_far_behind_is_cut_with_a_last_event_and_misses_nothing(tmp_path: Path) -> None:
    """A listener that had caught up and then does not read while more is written than is held."""
    from trading.domain.event import Event, EventKind
    from trading.storage.journal import Journal

    folder = RunFolder(run_id="r-1", path=tmp_path, manifest={})
    journal = Journal(folder.journal)

    def write(count: int) -> None:
        for _ in range(count):
            journal.append(Event(ts_ms=0, kind=EventKind.DECIDED, payload={"desk": "a"}))
        journal.commit()

    async def told() -> tuple[list[int], dict[str, Any]]:
        feed = RunFeed(folder, held_events=20, poll_s=0.01)
        write(5)
        heard = feed.listen(Asked())
        seqs: list[int] = []
        async for piece in heard:
            if b"data" in piece:
                seqs.append(parsed(piece)["data"]["seq"])
            if len(seqs) == 5:
                break
        await until(lambda: feed._head == 5)
        write(5)  # it is told of these from what is held, and is live from here on
        while len(seqs) < 10:
            seqs.append(parsed(await anext(heard))["data"]["seq"])
        write(100)
        await until(lambda: feed._held[-1].seq == 110)
        last = parsed(await anext(heard))
        with pytest.raises(StopAsyncIteration):
            await anext(heard)
        assert feed.listeners == 0
        return seqs, last

    seqs, last = asyncio.run(told())
    journal.close()
    assert seqs == list(range(1, 11))
    assert (last["event"], last["id"]) == ("cut", "10")
    assert "Last-Event-ID" in last["data"]["reason"]


def test_a_quiet_stream_beats_and_says_where_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trading.domain.event import Event, EventKind
    from trading.storage.journal import Journal

    monkeypatch.setattr(stream, "HEARTBEAT_S", 0.01)
    folder = RunFolder(run_id="r-1", path=tmp_path, manifest={})
    journal = Journal(folder.journal)
    journal.append(Event(ts_ms=0, kind=EventKind.DECIDED, payload={"desk": "a"}))
    journal.commit()

    async def beats() -> list[bytes]:
        heard = RunFeed(folder).listen(Asked(desk="b"))
        found = [await anext(heard) for _ in range(3)]
        await heard.aclose()
        return found

    opened, *rest = asyncio.run(beats())
    journal.close()
    assert opened.startswith(b": listening")
    assert rest == [b": heartbeat\nid: 1\n\n"] * 2
