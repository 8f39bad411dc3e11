"""Trade memory: what desks remember, searched as it was known at an instant."""

from typing import Annotated, Any

import fastapi
from pydantic import AwareDatetime

from arena.api.area import area
from arena.api.heavy import heavy
from arena.api.records import READS
from arena.api.values import LAST_MS, AskedDesk, AskedRun, Instant, Row, finite, ms_of
from arena.memory_search import search_document
from arena.services import Services

Text = Annotated[
    str, fastapi.Query(min_length=1, max_length=2000, pattern=r"\S", examples=["strongly rising over a day, volatile"])
]
AsOf = Annotated[
    AwareDatetime,
    fastapi.Query(description="Nothing that became known at or after it.", examples=["2026-01-02T00:00:00Z"]),
]


class SearchAnswer(Row):
    """Remembered decisions, nearest first. ``refused`` counts items that rest on no event of their journal."""

    query: str
    as_of: Instant
    hits: tuple[dict[str, Any], ...]
    n: int
    statistics: dict[str, Any]
    refused: int


def routes(services: Services) -> fastapi.APIRouter:
    """The routes over the memories of ``services``."""
    router = area("memory", below="/memory", dependencies=READS)

    @router.get("/search", summary="Find remembered decisions by their text")
    def search(
        text: Text,
        as_of: AsOf,
        run: AskedRun = None,
        desk: AskedDesk = None,
        count: Annotated[int, fastapi.Query(ge=1, le=100)] = 5,
    ) -> SearchAnswer:
        """Decisions of runs that have memory (or of one), with what was known of their outcome at ``as_of``."""
        as_of_ms = ms_of(as_of)
        with heavy():
            document = search_document(
                services.settings,
                text,
                as_of_ms=LAST_MS if as_of_ms is None else as_of_ms,
                run=run,
                desk=desk,
                count=count,
            )
        return SearchAnswer(**finite(document))

    return router
