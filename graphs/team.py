"""The agents of a desk, checked before the first round."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from agents.consensus import Rule
from agents.roles import discover_roles
from agents.turn import RoleAgent
from prompts import Prompt, load_prompt
from trading.domain.errors import ConfigError

ROLES = ("analyst", "forecaster", "risk", "executor")

_SEEDS = 2**31


class DeskTeam:
    """A desk's agents: a prompt version and one model for each role, or several that form a panel.

    ``prompts`` maps a role to a prompt or an alias; roles that are left out get their default. ``rule`` is how a panel
    of executors comes to one proposal. With ``shows_record`` the desk is told its own record in every round.
    With ``remembers`` its roles may call the tools of memory. ``fallbacks`` and ``hedge`` hold for every role.
    ``speaking`` are the roles that are asked at all, the executor always among them; without ``tools`` no role has any
    to call. Raises ConfigError when a role has no model, when a prompt is missing, or when it does not have the slots
    its role fills.
    """

    def __init__(
        self,
        *,
        name: str,
        models: Mapping[str, str | Sequence[str]],
        seed: int,
        prompts: Mapping[str, str] | None = None,
        rule: Rule = Rule.MAJORITY,
        shows_record: bool = False,
        remembers: bool = False,
        fallbacks: Sequence[str] = (),
        hedge: bool = False,
        speaking: Collection[str] = ROLES,
        tools: bool = True,
    ) -> None:
        self.name = name
        self.seed = seed
        self.rule = rule
        self.shows_record = shows_record
        self.remembers = remembers
        self.fallbacks = tuple(fallbacks)
        self.hedge = hedge
        self.speaking = frozenset(speaking)
        chosen = prompts or {}
        for given, what in ((models, "models"), (chosen, "prompts")):
            strangers = sorted(given.keys() - set(ROLES))
            if strangers:
                raise ConfigError(
                    f"desk {name!r}: {what} names {', '.join(strangers)}; the roles are {', '.join(ROLES)}"
                )
        missing = [role for role in ROLES if not models.get(role)]
        if missing:
            raise ConfigError(f"desk {name!r}: no model for {', '.join(missing)}")
        self.members: Mapping[str, tuple[RoleAgent, ...]] = MappingProxyType(
            {
                role: tuple(
                    agent if tools else agent.without_tools()
                    for agent in self._members(role, models[role], chosen.get(role))
                )
                for role in ROLES
            }
        )

    @property
    def agents(self) -> Mapping[str, RoleAgent]:
        """The agent of each role, of a panel its first member."""
        return {role: members[0] for role, members in self.members.items()}

    @property
    def models(self) -> Mapping[str, str | tuple[str, ...]]:
        """The model of each role, all of them where a panel sits."""
        return {
            role: members[0].model if len(members) == 1 else tuple(member.model for member in members)
            for role, members in self.members.items()
        }

    @property
    def prompt_hash(self) -> str:
        """Digest over the prompt files of all roles."""
        text = "|".join(f"{role}:{agent.prompt.sha256}" for role, agent in self.agents.items())
        return hashlib.sha256(text.encode()).hexdigest()

    def _members(self, role: str, models: str | Sequence[str], prompt: str | None) -> tuple[RoleAgent, ...]:
        spec = discover_roles()[role]
        loaded = self._prompt(role, prompt or spec.prompt)
        if self.remembers:
            spec = spec.with_memory()
        return tuple(
            # A model may sit on a panel more than once: another seed makes it another opinion.
            RoleAgent(
                spec=spec,
                prompt=loaded,
                model=model,
                seed=(self.seed + seat) % _SEEDS if seat else self.seed,
                fallbacks=self.fallbacks,
                hedge=self.hedge,
            )
            for seat, model in enumerate([models] if isinstance(models, str) else models)
        )

    def _prompt(self, role: str, reference: str) -> Prompt:
        spec = discover_roles()[role]
        loaded = load_prompt(reference)
        expected = {"facts", *spec.reads}
        spared = set() if self.shows_record else spec.optional
        if loaded.role != role or not expected - spared <= loaded.slots.keys() <= expected:
            raise ConfigError(
                f"desk {self.name!r}: prompt {loaded.reference} is for {loaded.role} and has "
                f"slots {sorted(loaded.slots)}; the {role} needs {sorted(expected)}"
            )
        return loaded
