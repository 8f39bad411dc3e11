"""Lists in pages: a cursor is the number or the id of the last row that was read, nothing hidden in it."""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Generic, TypeVar

import fastapi
from pydantic import BaseModel, ConfigDict, Field

from arena.api.problems import NotFound

Row = TypeVar("Row")

MOST_ROWS = 500
LAST_SEQUENCE = 2**53

Limit = Annotated[int, fastapi.Query(ge=1, le=MOST_ROWS, description="Rows of a page at most.", examples=[50])]
AfterSequence = Annotated[
    int, fastapi.Query(ge=0, le=LAST_SEQUENCE, description="The sequence number of the last row read.", examples=[0])
]
AfterId = Annotated[str | None, fastapi.Query(min_length=1, max_length=200, description="The id of the last row read.")]


class Page(BaseModel, Generic[Row]):
    """Rows, and the cursor to ask for more with (``after``); null where there are no more now."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    items: tuple[Row, ...]
    next: int | str | None = Field(default=None, examples=[None])


def page_by_sequence(rows: Iterable[Row], limit: int, sequence: Callable[[Row], int]) -> Page[Row]:
    """The first ``limit`` of ``rows``, which lie behind the cursor already, in order."""
    kept: list[Row] = []
    for row in rows:
        if len(kept) == limit:
            return Page(items=tuple(kept), next=sequence(kept[-1]))
        kept.append(row)
    return Page(items=tuple(kept))


def page_by_id(rows: Sequence[Row], limit: int, after: str | None, ident: Callable[[Row], str]) -> Page[Row]:
    """The ``limit`` rows that follow the one whose id is ``after``. Raises NotFound where none has it any more."""
    begin = 0
    if after is not None:
        begin = 1 + next((place for place, row in enumerate(rows) if ident(row) == after), -2)
        if begin < 0:
            raise NotFound(f"after = {after[:100]!r}: no row of this list has that id; begin again without it")
    kept = tuple(rows[begin : begin + limit])
    return Page(items=kept, next=ident(kept[-1]) if begin + limit < len(rows) else None)
