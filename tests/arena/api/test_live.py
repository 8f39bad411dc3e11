"""What pages fetch: changed panels alone, a bounded question, and nobody waits while somebody else's is made."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import gradio as gr
import pytest
from fastapi.testclient import TestClient

from arena.access.caller import LOCAL, SCOPE_KEY
from arena.api.live import MAX_QUERY, LiveAnswers
from arena.seasons.snapshot import FloorSnapshot
from arena.ui.live import LivePage
from arena.ui.rendering import RenderCache
from tests.arena.housing import house


def test_only_what_changed_is_sent(client: TestClient) -> None:
    whole = client.get("/live/risk").json()
    assert {"tf-status", "tf-risk-limits"} <= whole.keys()
    seen = ",".join(f"{name}:{etag}" for name, (etag, _) in whole.items() if name != "tf-risk-limits")
    assert client.get("/live/risk", params={"seen": seen}).json().keys() - {"tf-status"} == {"tf-risk-limits"}
    assert client.get("/live/risk", params={"seen": "rubbish,:,a:b:c,\x00"}).json().keys() == whole.keys()


@pytest.mark.parametrize(
    ("path", "status"), [("/live/nowhere", 404), (f"/live/?seen={'x' * MAX_QUERY}", 414), ("/live/%00", 404)]
)
def test_rubbish_is_told(client: TestClient, path: str, status: int) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_while_a_panel_is_made_only_those_who_have_nothing_wait(
    snapshot: FloorSnapshot, make_floor: Callable[..., Any]
) -> None:
    begun, may_end, made = threading.Event(), threading.Event(), []

    def slow(shown: FloorSnapshot) -> str:
        begun.set()
        assert may_end.wait(60)
        made.append(shown.version)
        return f"version {shown.version}"

    async def ask(answers: LiveAnswers, query: bytes = b"") -> tuple[int, bytes]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path_params": {"path": ""}, "query_string": query, SCOPE_KEY: LOCAL}
        await answers(scope, None, send)  # type: ignore[arg-type]  # nothing is received
        return sent[0]["status"], sent[1]["body"]

    async def crowd() -> None:
        with gr.Blocks():
            page = LivePage("", house(make_floor(snapshot)), RenderCache(), lambda: 0)
            page.html(slow, elem_id="tf-slow")
        answers = LiveAnswers({"": page})
        first, second, third = (asyncio.create_task(ask(answers, query)) for query in (b"", b"", b"seen=a:b&waits=1"))
        await asyncio.to_thread(begun.wait, 60)
        assert await ask(answers, b"seen=tf-slow:old") == (204, b"")
        assert not first.done()
        assert not second.done()
        assert not third.done()
        may_end.set()
        assert await first == await second == await third == await ask(answers, b"seen=tf-slow:old")
        assert f"version {made[0]}".encode() in (await first)[1]

    asyncio.run(crowd())
    assert len(made) == 1
