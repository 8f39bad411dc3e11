"""The alterations of a case, read from their names, and the link in the chain to the models that carries them out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

from agents.llm import Complete, Completion, CompletionRequest
from agents.transcript import Transcript
from evals.alterations.attacks import ATTACKS
from evals.alterations.channels import CHANNELS, Edit
from evals.alterations.paraphrase import paraphrase
from trading.domain.errors import ConfigError

_MASK = re.compile(r"mask:(\d{1,9})")
_KNOWN = "mask:SEED, reorder, paraphrase or poison:CHANNEL:ATTACK"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alterations:
    """What is changed: the market by ``mask`` (a seed) and ``reorder``, the messages by ``edits`` in their order."""

    mask: int | None = None
    reorder: bool = False
    edits: tuple[Edit, ...] = ()


def parse_alterations(names: Sequence[str]) -> Alterations:
    """The alterations of these names. Raises ConfigError for a name that is none."""
    mask, reorder, edits = None, False, list[Edit]()
    for name in names:
        if found := _MASK.fullmatch(name):
            mask = int(found[1])
        elif name == "reorder":
            reorder = True
        elif name == "paraphrase":
            edits.append(paraphrase)
        else:
            edits.append(_poison(name))
    return Alterations(mask=mask, reorder=reorder, edits=tuple(edits))


def _poison(name: str) -> Edit:
    kind, *rest = name.split(":")
    if kind != "poison" or len(rest) != 2:
        raise ConfigError(f"alteration {name!r}: expected {_KNOWN}")
    channel, attack = rest
    if channel not in CHANNELS or attack not in ATTACKS:
        raise ConfigError(
            f"alteration {name!r}: the channels are {', '.join(CHANNELS)}, the attacks are {', '.join(ATTACKS)}"
        )
    return CHANNELS[channel](ATTACKS[attack].text)


@dataclass(slots=True)
class Altered:
    """A link in the chain to the models: what is sent is changed, what is answered is not.

    A conversation only grows, so each message is changed once and the list that is sent grows with its original.
    """

    inner: Complete
    edits: Sequence[Edit]
    _conversations: list[tuple[object, Transcript]] = field(default_factory=list)

    async def complete(self, request: CompletionRequest) -> Completion:
        """Ask ``inner`` the changed request, which is known by its own content."""
        transcript = self._transcript(request)
        for message in request.messages[len(transcript.messages) :]:
            transcript.add(reduce(lambda changed, edit: edit(changed), self.edits, dict(message)))
        return await self.inner(replace(request, messages=transcript.messages, prompt_sha256=transcript.sha256))

    def _transcript(self, request: CompletionRequest) -> Transcript:
        for original, transcript in self._conversations:
            if original is request.messages:
                return transcript
        self._conversations.append((request.messages, Transcript([])))
        return self._conversations[-1][1]
