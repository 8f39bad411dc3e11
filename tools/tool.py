"""A typed tool: a name, an effect, arguments, a result and the function between them."""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Self, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, Field

from tools.context import ToolContext


class Effect(StrEnum):
    """What calling a tool can change. READ and THINK change nothing; PROPOSE asks the gate; TRADE passes it."""

    READ = "read"
    THINK = "think"
    PROPOSE = "propose"
    TRADE = "trade"


class Args(BaseModel):
    """Base of every tool's arguments. Numbers are accepted where a text is asked for; unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)


class Row(BaseModel):
    """Base of what stands inside results."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Result(Row):
    """Base of every tool's result: the instant it speaks of and where it comes from.

    ``note`` is left out of the JSON when there is nothing to say. ``bulk`` names the list or mapping
    that may be cut to keep a result within bounds, and ``keep_last`` says which end of it matters.
    """

    bulk: ClassVar[str | None] = None
    keep_last: ClassVar[bool] = False

    as_of: str
    source: str
    note: str | None = Field(default=None, exclude_if=lambda value: value is None)

    def cut_to(self, count: int) -> Self:
        """The result with only ``count`` entries of its bulk, and a note that says so."""
        if self.bulk is None:
            raise ValueError(f"{type(self).__name__} has no bulk to cut")
        whole = getattr(self, self.bulk)
        entries = list(whole.items() if isinstance(whole, Mapping) else whole)
        kept = entries[len(entries) - count :] if self.keep_last else entries[:count]
        which = "last" if self.keep_last else "first"
        note = f"cut to the {which} {count} of {len(entries)} {self.bulk}; ask for fewer at a time"
        update = {
            self.bulk: dict(kept) if isinstance(whole, Mapping) else kept,
            "note": f"{self.note}; {note}" if self.note else note,
        }
        return self.model_copy(update=update)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A declared tool. ``market_only``: the result follows from the market view and the arguments alone."""

    name: str
    effect: Effect
    description: str
    args: type[Args]
    result: type[Result]
    handler: Callable[[Any, ToolContext], Result]
    market_only: bool

    def __call__(self, args: Args, context: ToolContext) -> Result:
        """Run the handler. Raises BadArguments or Unavailable."""
        return self.handler(args, context)


_LINE_BREAK = re.compile(r"(?<!\n)\n(?!\n)")
"""A line break inside of a paragraph, which only our line length put there."""

_A = TypeVar("_A", bound=Args)
_R = TypeVar("_R", bound=Result)


def tool(*, effect: Effect, market_only: bool = False) -> Callable[[Callable[[_A, ToolContext], _R]], Tool]:
    """Declare a function ``(args, context) -> result`` as a tool.

    Its name is the tool's name, its docstring the prompt that the model sees.
    """

    def declare(function: Callable[[_A, ToolContext], _R]) -> Tool:
        name = function.__name__
        hints = get_type_hints(function)
        result = hints.pop("return", None)
        args = next(iter(hints.values()), None)
        if not (inspect.isclass(args) and issubclass(args, Args)):
            raise TypeError(f"tool {name}: its first parameter must be annotated with a subclass of Args")
        if not (inspect.isclass(result) and issubclass(result, Result)):
            raise TypeError(f"tool {name}: it must be annotated to return a subclass of Result")
        if not function.__doc__:
            raise TypeError(f"tool {name}: it needs a docstring, which is what the model reads")
        return Tool(
            name=name,
            effect=effect,
            description=_LINE_BREAK.sub(" ", inspect.cleandoc(function.__doc__)),
            args=args,
            result=result,
            handler=function,
            market_only=market_only,
        )

    return declare
