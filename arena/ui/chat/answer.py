"""An answer on its way: what was looked up, what has been said so far, and how it ended."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter

from arena.seasons.floor_tools import FLOOR_TOOLS
from arena.seasons.heard import Done, Failed, Heard, Piece, Spoken, ToolEnded, ToolStarted
from arena.seasons.snapshot import DecisionCard
from tools.registry import discover


@dataclass(slots=True, kw_only=True)
class Step:
    """One look-up. ``ended`` is None while it goes on."""

    started: ToolStarted
    ended: ToolEnded | None = None

    @property
    def name(self) -> str:
        """The tool, by a name that is ours: a model may call for one that is not there."""
        known = self.started.tool in discover() or self.started.tool in FLOOR_TOOLS
        return self.started.tool if known else "a tool that does not exist"


@dataclass(slots=True, kw_only=True)
class Answer:
    """What was heard of one answer. ``decisions`` are those it may cite, ``by`` is the desk that gives it.

    ``is_looking``: since it last looked something up, nothing was said.
    """

    by: str
    decisions: Sequence[DecisionCard] = ()
    steps: list[Step] = field(default_factory=list)
    text: str = ""
    spoken: Spoken | None = None
    failure: str | None = None
    begun_s: float = field(default_factory=perf_counter)
    looked_s: float = 0.0
    is_looking: bool = False

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to come."""
        return self.spoken is not None or self.failure is not None

    def hear(self, event: Heard) -> None:
        """Take in what was heard."""
        match event:
            case ToolStarted():
                self.is_looking = True
                self.steps.append(Step(started=event))
            case ToolEnded():
                self._end(event)
            case Piece():
                self.is_looking = False
                self.text += event.text
            case Done():
                self.spoken = event.spoken
                self.decisions = (*event.spoken.decisions, *self.decisions)
            case Failed():
                self.failure = str(event.error)

    def ended(self) -> Iterator[ToolEnded]:
        """The look-ups that are over, in order."""
        return (step.ended for step in self.steps if step.ended is not None)

    def _end(self, event: ToolEnded) -> None:
        self.looked_s = perf_counter() - self.begun_s
        for step in self.steps:
            if step.started.call_id == event.call_id and step.ended is None:
                step.ended = event
                return
