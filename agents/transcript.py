"""A role's conversation with its model, growing message by message, with its digest."""

import hashlib
from collections.abc import Sequence
from typing import Any

from pydantic_core import to_json

from agents.llm import Completion

Message = dict[str, Any]


class Transcript:
    """Chat messages in the OpenAI format and a digest over all of them. Messages are only ever added."""

    def __init__(self, opening: Sequence[Message]) -> None:
        self._messages: list[Message] = []
        self._digest = hashlib.sha256()
        for message in opening:
            self.add(message)

    @property
    def messages(self) -> Sequence[Message]:
        """The messages so far."""
        return self._messages

    @property
    def sha256(self) -> str:
        """Digest of the messages so far."""
        return self._digest.copy().hexdigest()

    def add(self, message: Message) -> None:
        """Append one message."""
        self._messages.append(message)
        self._digest.update(to_json(message))
        self._digest.update(b"\n")

    def add_tool_requests(self, completion: Completion) -> None:
        """Append what the model said when it asked for tools."""
        self.add(
            {
                "role": "assistant",
                "content": completion.content or None,
                "tool_calls": [
                    {
                        "id": request.call_id,
                        "type": "function",
                        "function": {"name": request.name, "arguments": request.arguments_json},
                    }
                    for request in completion.tool_requests
                ],
            }
        )

    def add_tool_result(self, call_id: str, content: str) -> None:
        """Append the result of one tool call."""
        self.add({"role": "tool", "tool_call_id": call_id, "content": content})
