"""What pages fetch to stay live: the panels of one page whose content a viewer does not have yet."""

from collections.abc import Mapping

import fastapi
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from arena.access import Role
from arena.api.callers import needs
from arena.ui.live import LivePage

MAX_QUERY = 8_000
"""Characters of an address beyond which nobody wrote it in good faith."""


def live_routes(pages: Mapping[str, LivePage]) -> fastapi.APIRouter:
    """One route for all ``pages``, which are given by their paths."""
    router = fastapi.APIRouter(include_in_schema=False)

    @router.get("/live/{path:path}", dependencies=[needs(Role.VIEWER)])
    async def live(path: str, request: fastapi.Request) -> Response:
        """The panels that changed, as JSON; 204 where none did."""
        page = pages.get(path.strip("/"))
        if page is None:
            raise fastapi.HTTPException(404, "there is no such page")
        if len(request.url.query) > MAX_QUERY:
            raise fastapi.HTTPException(414, f"the address has more than {MAX_QUERY} characters")
        body = page.known_changes(request.query_params)
        if body is None:  # the first viewer of a snapshot has it rendered, in a thread; the others find it
            body = await run_in_threadpool(page.changes, request.query_params)
        if not body:
            return Response(status_code=204)
        return Response(body, media_type="application/json", headers={"cache-control": "no-store"})

    return router
