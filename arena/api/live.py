"""What pages fetch to stay live: the panels of one page whose content a viewer does not have yet."""

import asyncio
from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from arena.access import Role, caller_of
from arena.ui.live import LivePage

MAX_QUERY = 8_000
"""Bytes of an address beyond which nobody wrote it in good faith."""

_NOTHING_NEW = Response(status_code=204)
_HEADERS = {"cache-control": "no-store"}


def live_route(pages: Mapping[str, LivePage]) -> Route:
    """One route for all ``pages``, which are given by their paths.

    Every open page asks it once a second: what FastAPI does for a request would cost more than the answer.
    """
    return Route("/live/{path:path}", LiveAnswers(pages), methods=["GET"], name="live", include_in_schema=False)


class LiveAnswers:
    """The endpoint (ASGI): the panels that changed, as JSON; 204 where none did."""

    role = Role.VIEWER

    def __init__(self, pages: Mapping[str, LivePage]) -> None:
        self._pages = pages
        self._making = {path: asyncio.Lock() for path in pages}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one viewer. Raises Forbidden and HTTPException."""
        caller_of(scope).check(self.role)
        path = scope["path_params"]["path"].strip("/")
        if path not in self._pages:
            raise HTTPException(404, "there is no such page")
        if len(scope["query_string"]) > MAX_QUERY:
            raise HTTPException(414, f"the address has more than {MAX_QUERY} bytes")
        body = await self._changes(path, QueryParams(scope["query_string"]))
        answer = Response(body, media_type="application/json", headers=_HEADERS) if body else _NOTHING_NEW
        await answer(scope, receive, send)

    async def _changes(self, path: str, query: QueryParams) -> bytes:
        """What a viewer lacks. The first to ask after a snapshot has it rendered, in a thread.

        Until it is, those who look on keep what they have and ask again in a second. Others wait: who has nothing yet,
        and who did something (``waits``).
        """
        page, making = self._pages[path], self._making[path]
        body = page.known_changes(query)
        if body is None and making.locked() and query.get("seen") and "waits" not in query:
            return b""
        if body is None:
            async with making:
                body = page.known_changes(query)
                if body is None:
                    body = await run_in_threadpool(page.changes, query)
        return body
