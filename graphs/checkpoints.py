"""Checkpoints of decisions in flight, in SQLite: what a restart needs not to ask a model twice."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata, CheckpointTuple
from langgraph.checkpoint.sqlite import SqliteSaver


class Checkpoints(SqliteSaver):
    """LangGraph's SQLite saver, answering asynchronous callers on the spot.

    A write takes a fraction of a millisecond; handing it to a thread and back, as the asynchronous saver of the
    library does, takes longer than the write. Its rows count only until their round is in the journal: they are
    dropped then, and :meth:`has` tells without a query that a new decision has none.
    """

    def __init__(self, path: Path) -> None:
        import sqlite3

        path.parent.mkdir(parents=True, exist_ok=True)
        super().__init__(sqlite3.connect(path, check_same_thread=False))
        self.setup()
        # What the process wrote survives its death without a sync; what the power takes is asked again.
        self.conn.execute("PRAGMA synchronous=OFF")
        rows = self.conn.execute("SELECT DISTINCT thread_id FROM checkpoints").fetchall()
        self._threads = {str(thread) for (thread,) in rows}

    def has(self, thread_id: str) -> bool:
        """Whether a decision was begun under this id."""
        return thread_id in self._threads

    def forget(self) -> None:
        """Drop every checkpoint: the round they belong to is on record."""
        with self.cursor() as cursor:
            cursor.execute("DELETE FROM checkpoints")
            cursor.execute("DELETE FROM writes")
        self._threads.clear()

    def close(self) -> None:
        """Release the file."""
        self.conn.close()

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint."""
        self._threads.add(str(config["configurable"]["thread_id"]))
        return super().put(config, checkpoint, metadata, new_versions)

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint."""
        return self.put(config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Store what a node wrote before its step was complete."""
        self.put_writes(config, writes, task_id, task_path)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The last checkpoint of a thread."""
        return self.get_tuple(config) if self.has(str(config["configurable"]["thread_id"])) else None

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002  # the name is the library's
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """The checkpoints of a thread, newest first."""
        for found in self.list(config, filter=filter, before=before, limit=limit):
            yield found

    async def adelete_thread(self, thread_id: str) -> None:
        """Drop one decision's checkpoints."""
        self.delete_thread(thread_id)
        self._threads.discard(thread_id)


@contextmanager
def open_checkpoints(path: Path) -> Iterator[Checkpoints]:
    """The checkpoints in ``path``, made when they are not there; closed on leaving."""
    checkpoints = Checkpoints(path)
    try:
        yield checkpoints
    finally:
        checkpoints.close()
