"""The teams that a season's desks play with: as declared, and as their budgets leave them."""

import hashlib
import math
from collections.abc import Mapping, Sequence

from agents.consensus import Rule
from agents.llm import catalogue, is_rule_based
from agents.reflection import reflector
from agents.turn import RoleAgent
from arena.seasons.desk_rules import Desk
from arena.seasons.fields import ROLES
from arena.seasons.memory_rules import OFF, OWN
from arena.seasons.rules import SeasonRules
from graphs import DeskTeam
from trading.domain.errors import ConfigError


def desk_seed(seed: int, desk: str) -> int:
    """A desk's own seed (31 bits, which every provider takes): two desks of one model do not draw alike."""
    return int(hashlib.sha256(f"{seed}:{desk}".encode()).hexdigest()[:8], 16) & 0x7FFFFFFF


def teams_of(rules: SeasonRules) -> list[DeskTeam]:
    """The team of each desk that has models, in the order of the file."""
    return [_team(rules, desk) for desk in rules.desks if not desk.person]


def spare_teams_of(rules: SeasonRules) -> dict[str, DeskTeam]:
    """The teams of cheaper models or fewer roles that take over when a budget says so, by desk; empty without."""
    degrade = rules.budget.degrade if rules.budget else None
    if degrade is None:
        return {}
    return {
        desk.name: _team(rules, desk, models=degrade.models.given(), roles=degrade.roles)
        for desk in rules.desks
        if not all(map(is_rule_based, desk.every_model()))
    }


def team_as_recorded(rules: SeasonRules, name: str, prompts: Mapping[str, str], *, degraded: bool) -> DeskTeam:
    """The team of a desk as it played: with ``prompts`` by role, and ``degraded`` where its budget had it so.

    Raises ConfigError for a desk without models, and where a prompt is not there.
    """
    desk = next((one for one in rules.desks if one.name == name and not one.person), None)
    if desk is None:
        raise ConfigError(f"desk {name[:80]!r} has no models in the rules of its run")
    degrade = rules.budget.degrade if degraded and rules.budget else None
    if degrade is None:
        return _team(rules, desk, prompts=prompts)
    return _team(rules, desk, models=degrade.models.given(), roles=degrade.roles, prompts=prompts)


def reflectors_of(rules: SeasonRules) -> dict[str, RoleAgent]:
    """The agents that look back, by desk: those of language models where the season or the desk says so."""
    found = {}
    for desk in rules.desks:
        choice = desk.reflection or (rules.memory.reflection if rules.memory else OFF)
        own = [model for model in desk.every_model() if not is_rule_based(model)]
        if desk.name in rules.remembering and own and choice != OFF:
            model = cheapest(own) if choice == OWN else choice
            found[desk.name] = reflector(model, seed=desk_seed(rules.season.seed, desk.name))
    return found


def cheapest(models: Sequence[str]) -> str:
    """The model with the lowest price of a token read and one written; those without a known price come last."""

    def rate(model: str) -> float:
        price = catalogue().price(model)
        return math.inf if price is None else price.input_usd + price.output_usd

    return min(models, key=rate)


def _team(
    rules: SeasonRules,
    desk: Desk,
    *,
    models: Mapping[str, str] | None = None,
    roles: Sequence[str] = (),
    prompts: Mapping[str, str] | None = None,
) -> DeskTeam:
    return DeskTeam(
        name=desk.name,
        models={**desk.by_role(), **(models or {})},
        seed=desk_seed(rules.season.seed, desk.name),
        prompts={**desk.prompts_by_role(), **(prompts or {})},
        rule=Rule(desk.panel.combine) if desk.panel else Rule.MAJORITY,
        shows_record=desk.context,
        remembers=desk.name in rules.remembering,
        fallbacks=desk.fallbacks,
        hedge=desk.hedge,
        speaking=roles or ROLES,
    )
