"""The typed slots of a prompt: how a value becomes text, and how text from outside is fenced in.

Everything structured is written as JSON between tags, with ``<`` and ``>`` escaped inside, so no value can close
its own fence or open another one.
"""

from enum import StrEnum

from pydantic_core import PydanticSerializationError, to_json

from trading.domain import iso
from trading.domain.errors import ConfigError


class SlotType(StrEnum):
    """What a slot takes. Only ``untrusted`` may hold text that a model, a person or a website wrote."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    INSTANT = "instant"
    FACTS = "facts"
    UNTRUSTED = "untrusted"


def slot_text(name: str, kind: SlotType, value: object) -> str:
    """``value`` as it stands in the prompt. Raises ConfigError when it is not of the slot's type."""
    match kind:
        case SlotType.FACTS:
            return f'<facts name="{name}">\n{_fenced_json(name, value)}\n</facts>'
        case SlotType.UNTRUSTED:
            return f'<untrusted source="{name}">\n{_fenced_json(name, value)}\n</untrusted>'
        case SlotType.INTEGER if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        case SlotType.NUMBER if isinstance(value, int | float) and not isinstance(value, bool):
            return repr(value)
        case SlotType.INSTANT if isinstance(value, int) and not isinstance(value, bool):
            return iso(value)
        case SlotType.TEXT if isinstance(value, str):
            if "<" in value or "\n" in value:
                raise ConfigError(
                    f"prompt slot {name!r}: text of several lines or with '<' belongs in an untrusted slot"
                )
            return value
        case _:
            raise ConfigError(f"prompt slot {name!r}: found {type(value).__name__}, expected {kind.value}")


def _fenced_json(name: str, value: object) -> str:
    try:
        text = to_json(value, inf_nan_mode="null").decode()
    except PydanticSerializationError as error:
        raise ConfigError(f"prompt slot {name!r}: {error}; give plain JSON values") from None
    return text.replace("<", "\\u003c").replace(">", "\\u003e")
