"""What makes a role: its prompt, its tools, what it reads and what it must answer."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

from agents.schemas import Answer, AnswerFormat, answer_format


@dataclass(frozen=True, kw_only=True)
class AgentSpec:
    """A role agent. ``reads`` names the prompt slots it is given besides ``facts``; ``tools`` is all it may call.

    ``memory_tools`` come on top for a desk that has memory.

    A prompt has all of these slots but, at will, those that are ``optional``: they came in with later versions.
    """

    role: str
    prompt: str
    tools: tuple[str, ...]
    reads: tuple[str, ...]
    answer: type[Answer]
    answer_name: str
    optional: frozenset[str] = frozenset({"record"})
    memory_tools: tuple[str, ...] = ()

    def with_memory(self) -> Self:
        """The role of a desk that has memory."""
        return replace(self, tools=(*self.tools, *self.memory_tools), memory_tools=())

    @cached_property
    def answer_format(self) -> AnswerFormat:
        """The answer as a model is asked for it."""
        return answer_format(self.answer, self.answer_name)
