"""Checkpoints of decisions in flight, in SQLite: what a restart needs not to ask a model twice."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver


class Checkpoints:
    """The saver of a run. Its rows count only until their round is in the journal."""

    def __init__(self, saver: AsyncSqliteSaver) -> None:
        self.saver = saver

    async def forget(self) -> None:
        """Drop every checkpoint: the round they belong to is on record."""
        async with self.saver.lock:
            await self.saver.conn.execute("DELETE FROM checkpoints")
            await self.saver.conn.execute("DELETE FROM writes")
            await self.saver.conn.commit()


@asynccontextmanager
async def open_checkpoints(path: Path) -> AsyncIterator[Checkpoints]:
    """The checkpoints in ``path``, made when they are not there; closed on leaving."""
    path.parent.mkdir(parents=True, exist_ok=True)
    async with AsyncSqliteSaver.from_conn_string(str(path)) as saver:
        await saver.setup()
        await saver.conn.execute("PRAGMA synchronous=NORMAL")
        yield Checkpoints(saver)
