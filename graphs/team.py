"""The four agents of a desk, checked before the first round."""

import hashlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from agents.roles import discover_roles
from agents.turn import RoleAgent
from prompts import load_prompt
from trading.domain.errors import ConfigError

ROLES = ("analyst", "forecaster", "risk", "executor")


class DeskTeam:
    """A desk's agents: a model and a prompt version for each role.

    ``prompts`` maps a role to a prompt or an alias; roles that are left out get their default. Raises ConfigError
    when a role has no model, when a prompt is missing, or when it does not have the slots its role fills. ``fallbacks``
    and ``hedge`` hold for every role.
    """

    def __init__(
        self,
        *,
        name: str,
        models: Mapping[str, str],
        seed: int,
        prompts: Mapping[str, str] | None = None,
        fallbacks: Sequence[str] = (),
        hedge: bool = False,
    ) -> None:
        self.name = name
        self.seed = seed
        self.fallbacks = tuple(fallbacks)
        self.hedge = hedge
        chosen = prompts or {}
        for given, what in ((models, "models"), (chosen, "prompts")):
            strangers = sorted(given.keys() - set(ROLES))
            if strangers:
                raise ConfigError(
                    f"desk {name!r}: {what} names {', '.join(strangers)}; the roles are {', '.join(ROLES)}"
                )
        missing = [role for role in ROLES if role not in models]
        if missing:
            raise ConfigError(f"desk {name!r}: no model for {', '.join(missing)}")
        self.agents: Mapping[str, RoleAgent] = MappingProxyType(
            {role: self._agent(role, models[role], chosen.get(role)) for role in ROLES}
        )

    @property
    def models(self) -> Mapping[str, str]:
        """The model of each role."""
        return {role: agent.model for role, agent in self.agents.items()}

    @property
    def prompt_hash(self) -> str:
        """Digest over the prompt files of all roles."""
        text = "|".join(f"{role}:{agent.prompt.sha256}" for role, agent in self.agents.items())
        return hashlib.sha256(text.encode()).hexdigest()

    def _agent(self, role: str, model: str, prompt: str | None) -> RoleAgent:
        spec = discover_roles()[role]
        loaded = load_prompt(prompt or spec.prompt)
        expected = {"facts", *spec.reads}
        if loaded.role != role or set(loaded.slots) != expected:
            raise ConfigError(
                f"desk {self.name!r}: prompt {loaded.reference} is for {loaded.role} and has "
                f"slots {sorted(loaded.slots)}; the {role} needs {sorted(expected)}"
            )
        return RoleAgent(
            spec=spec, prompt=loaded, model=model, seed=self.seed, fallbacks=self.fallbacks, hedge=self.hedge
        )
