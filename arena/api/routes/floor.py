"""The floor: its snapshot, its standings, and the two switches a person holds."""

from collections.abc import Callable
from typing import Annotated

import fastapi
from fastapi.responses import Response
from pydantic import TypeAdapter

from arena.access import Caller, Role
from arena.api.area import area
from arena.api.callers import needs
from arena.api.standings import Standings, standings
from arena.api.values import Reason, Row, Said
from arena.floor import Floor
from arena.seasons.snapshot import FloorSnapshot
from arena.services import Services

_SNAPSHOT: TypeAdapter[FloorSnapshot] = TypeAdapter(FloorSnapshot)


class Order(Said):
    """Why trading is halted or resumed; recorded with the act."""

    reason: Reason


class Accepted(Row):
    """The act was recorded; the next snapshot shows what came of it."""

    accepted: bool = True
    reason: str


def routes(services: Services) -> fastapi.APIRouter:
    """The routes over the floor of ``services``."""
    floor = services.floor
    router = area("floor")
    shown = _OnceForAll(_SNAPSHOT.dump_json)
    ranked = _OnceForAll(lambda snapshot: standings(snapshot).model_dump_json().encode())

    @router.get(
        "/snapshot",
        summary="What the arena page shows",
        response_model=FloorSnapshot,
        dependencies=[needs(Role.VIEWER)],
    )
    async def read_snapshot() -> Response:
        """The floor in the page's own numbers: floats, and instants in milliseconds. NaN is written as null."""
        return shown.answer(current(floor))

    @router.get(
        "/standings",
        summary="The standings on the floor",
        response_model=Standings,
        dependencies=[needs(Role.VIEWER)],
    )
    async def read_standings() -> Response:
        """All desks in rank order."""
        return ranked.answer(current(floor))

    @router.post("/halt", summary="Stop trading")
    def halt(order: Order, caller: Annotated[Caller, needs(Role.TRADER)]) -> Accepted:
        """Stops trading until a person resumes it."""
        floor.halt(order.reason)
        return Accepted(reason=order.reason)

    @router.post("/resume", summary="Let trading go on")
    def resume(order: Order, caller: Annotated[Caller, needs(Role.TRADER)]) -> Accepted:
        """Lets trading go on."""
        floor.resume(order.reason)
        return Accepted(reason=order.reason)

    return router


class _OnceForAll:
    """A document about the newest snapshot, written once for all who ask."""

    def __init__(self, write: Callable[[FloorSnapshot], bytes]) -> None:
        self._write = write
        self._last: tuple[FloorSnapshot, bytes] | None = None

    def answer(self, snapshot: FloorSnapshot) -> Response:
        if self._last is None or self._last[0] is not snapshot:
            self._last = (snapshot, self._write(snapshot))
        return Response(self._last[1], media_type="application/json")


def current(floor: Floor) -> FloorSnapshot:
    """The newest snapshot; answers 503 before the first one."""
    snapshot = floor.snapshot()
    if snapshot is None:
        raise fastapi.HTTPException(503, "the season has not published a snapshot yet: ask again in a moment")
    return snapshot
