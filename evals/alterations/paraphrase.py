"""The same facts in other words and another order, so that only a desk that reads words and not facts is moved."""

import json
import re
from typing import Any

from evals.alterations.channels import Message

_FENCED = re.compile(r'(<facts name="[a-z_]+">\n)(.*?)(\n</facts>)', re.DOTALL)
_WORDS = (
    ("The round and its conditions:", "These conditions hold in the present round:"),
    ("The analyst's report:", "What the analyst says:"),
    ("The forecaster's report:", "What the forecaster says:"),
    ("The risk officer's report:", "What the risk officer says:"),
    ("What happened to the desk's earlier decisions:", "The desk's earlier decisions came to this:"),
    (
        "Your desk's own record of this season (null where it is not shown):",
        "Own record this season (null: not shown):",
    ),
    (
        "The gate's ruling on your first proposal of this round (null if there is none):",
        "Ruling of the gate (or null):",
    ),
)


def paraphrase(message: Message) -> Message:
    """A message of the user in other words, its facts and those of tools with their fields in the opposite order."""
    content = message.get("content")
    if message.get("role") == "tool":
        return {**message, "content": _turned_text(str(content))}
    if message.get("role") != "user" or not isinstance(content, str):
        return message
    for before, after in _WORDS:
        content = content.replace(before, after)
    return {**message, "content": _FENCED.sub(lambda found: found[1] + _turned_text(found[2]) + found[3], content)}


def _turned_text(text: str) -> str:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    turned = json.dumps(_turned(value), separators=(",", ":"), ensure_ascii=False)
    return turned.replace("<", "\\u003c").replace(">", "\\u003e")  # a value must not close its fence


def _turned(value: Any) -> Any:
    """The fields of every object in the opposite order; lists keep theirs, which may mean something."""
    if isinstance(value, dict):
        return {key: _turned(child) for key, child in reversed(value.items())}
    return [_turned(child) for child in value] if isinstance(value, list) else value
