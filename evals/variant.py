"""A variant: the desk that is tried on a suite, as declared, and the digest of all that makes it answer as it does."""

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from agents.consensus import Rule
from agents.llm import is_rule_based
from agents.talk import spokesman
from agents.turn import RoleAgent
from evals.question import Question
from graphs import DeskTeam
from graphs.team import ROLES
from trading.domain.errors import ConfigError

_SEEDS = 2**31


def _some_roles(roles: tuple[str, ...]) -> tuple[str, ...]:
    if "executor" not in roles or not set(roles) <= set(ROLES):
        raise ValueError(f"expected some of {', '.join(ROLES)}, the executor among them")
    return roles


class Variant(BaseModel):
    """A desk under test.

    One ``model`` for all roles or ``models`` by role; ``prompts`` by role where they are not the production ones;
    ``roles`` are those that are asked at all; without ``tools`` they have none to call, and without ``memory`` they are
    not given what a case offers to recall. ``author`` and ``message`` are remarks and part of no digest.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=120)]
    model: str | None = None
    models: dict[str, str | tuple[str, ...]] = Field(default_factory=dict)
    prompts: dict[str, str] = Field(default_factory=dict)
    roles: Annotated[tuple[str, ...], AfterValidator(_some_roles)] = ROLES
    tools: bool = True
    memory: bool = True
    rule: Rule = Rule.MAJORITY
    fallbacks: tuple[str, ...] = ()
    seed: Annotated[int, Field(ge=0, lt=_SEEDS)] = 0
    author: str = ""
    message: str = ""

    @model_validator(mode="after")
    def _has_models(self) -> Self:
        if (self.model is None) == (not self.models):
            raise ValueError("give either model or models")
        return self

    def by_role(self) -> dict[str, str | tuple[str, ...]]:
        """The model, or the panel, of each role."""
        return dict.fromkeys(ROLES, self.model) if self.model else dict(self.models)

    def every_model(self) -> tuple[str, ...]:
        """Each model that may be asked, once."""
        asked = [(one,) if isinstance(one, str) else one for one in self.by_role().values()]
        return tuple(dict.fromkeys([*(model for group in asked for model in group), *self.fallbacks]))

    @property
    def is_rule_based(self) -> bool:
        """Whether no language model is behind it."""
        return all(map(is_rule_based, self.every_model()))

    def team(self, epoch: int = 0, *, remembers: bool = False) -> DeskTeam:
        """The desk as it sits in the ``epoch``-th try: the same but for its seed. Raises ConfigError.

        With ``remembers`` its roles may call the tools of memory, unless the variant is without.
        """
        return DeskTeam(
            name=self.name,
            models=self.by_role(),
            seed=(self.seed + 7919 * epoch) % _SEEDS,
            prompts=self.prompts,
            rule=self.rule,
            remembers=remembers and self.memory,
            fallbacks=self.fallbacks,
            speaking=self.roles,
            tools=self.tools,
        )

    def spokesman(self, question: Question, epoch: int = 0) -> RoleAgent:
        """Who answers ``question``: the executor's mind, as in the reception of a season."""
        executor = self.team(epoch).agents["executor"]
        agent = spokesman(executor.model, seed=executor.seed, prompt=question.prompt)
        return agent if question.tools and self.tools else agent.without_tools()

    def sha256_for(self, question: Question | None) -> str:
        """The digest, with that of the spokesman where a question is asked. Raises ConfigError."""
        if question is None:
            return self.sha256
        agent = self.spokesman(question)
        return hashlib.sha256(f"{self.sha256}|{agent.prompt.sha256}|{agent.tools_sha256}".encode()).hexdigest()

    @property
    def sha256(self) -> str:
        """Digest of models, prompt texts, tools and rules; the name does not count. Raises ConfigError."""
        members = self.team().members
        parts = [
            f"{role}={agent.model}|{agent.prompt.sha256}|{agent.tools_sha256}|{agent.seed}"
            for role in sorted(members)
            for agent in _members(members, role)
        ]
        parts += [self.rule, *sorted(self.roles), *self.fallbacks]  # no tools show in the digest of tools
        parts += [] if self.memory else ["no memory"]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _members(members: Mapping[str, Sequence[RoleAgent]], role: str) -> Sequence[RoleAgent]:
    return members[role]


def read_variants(asked: Sequence[str]) -> list[Variant]:
    """The variants that the command line names, each once.

    ``house/momentum`` is a desk of that model; ``NAME=MODEL`` gives it another name; ``NAME=MODEL,ROLE:PROMPT`` other
    prompts, such as ``new=house/momentum,executor:executor/default.v1``; a path to a TOML file holds ``[[variant]]``
    tables. Raises ConfigError in one line.
    """
    found: list[Variant] = []
    for text in asked:
        found += _from_file(Path(text)) if text.endswith(".toml") else [_from_text(text)]
    names = [variant.name for variant in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"variant {twice[0]!r} is given twice; name one of them otherwise with NAME=MODEL")
    for variant in found:
        variant.team()
    return found


def _from_text(text: str) -> Variant:
    name, equals, rest = text.partition("=")
    model, *prompts = (rest if equals else text).split(",")
    pairs = [one.partition(":") for one in prompts]
    if not model or not name or any(not colon for _, colon, _ in pairs):
        raise ConfigError(f"variant {text!r}: expected MODEL, NAME=MODEL or NAME=MODEL,ROLE:PROMPT")
    return Variant(name=name if equals else model, model=model, prompts={role: prompt for role, _, prompt in pairs})


def _from_file(path: Path) -> list[Variant]:
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"variants {path}: cannot be read ({error}); expected TOML with [[variant]] tables") from None
    tables = document.get("variant")
    if set(document) != {"variant"} or not isinstance(tables, list):
        raise ConfigError(f"variants {path}: found {', '.join(sorted(document)) or 'nothing'}, expected [[variant]]")
    try:
        return [Variant.model_validate(table) for table in tables]
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "variant"
        raise ConfigError(f"variants {path}: {where}: {first['msg']}") from None
