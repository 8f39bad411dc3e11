"""``[[desk]]``: a contestant, the models behind its roles, and what it may spend."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from arena.refusal import Refused
from arena.seasons.fields import ROLES, Slug, Switch, Table, Text, Tokens, Usd, later, once_each
from arena.seasons.memory_rules import Reflection, named_model

PANEL_SIZE = 9
"""The most models that may stand behind one role."""


def _models(value: object) -> object:
    # Said here, because the alternatives of a union are refused one by one and read like riddles.
    if isinstance(value, str) and 0 < len(value) <= 200:
        return value
    if not isinstance(value, list | tuple) or not all(isinstance(part, str) and 0 < len(part) <= 200 for part in value):
        raise ValueError(f"found {value!r}, expected a model or a list of models")
    if not 2 <= len(value) <= PANEL_SIZE:
        raise ValueError(f"found a list of {len(value)}, expected 2 to {PANEL_SIZE} models; one model needs no list")
    return tuple(value)


Models = Annotated[str | tuple[str, ...], BeforeValidator(_models)]


class RoleModels(Table):
    """What answers for each role: a model, as LiteLLM names it, or a panel of several."""

    analyst: Models
    forecaster: Models
    risk: Models
    executor: Models


class RolePrompts(Table):
    """``prompts``: the prompt of a role, by alias or version; a role that is left out gets its production prompt."""

    analyst: Text | None = later(None)
    forecaster: Text | None = later(None)
    risk: Text | None = later(None)
    executor: Text | None = later(None)


class PanelRules(Table):
    """``panel``: how the answers of several models become one."""

    combine: Literal["median", "majority", "unanimous"]


class Desk(Table):
    """A contestant, with one model for all roles (``model``) or one or several for each (``models``).

    ``fallbacks`` answer, in their order, where a model cannot be reached; ``hedge`` lets a slow call be sent twice;
    ``context`` shows the desk its own record. ``memory`` false leaves it without the memory that the season has;
    ``reflection`` says who looks back for it, in place of the season's ``memory.reflection``. With ``person`` nobody
    decides for it but a person, by tickets: it has no models and nothing that belongs to them.
    """

    name: Slug
    model: Text | None = None
    models: RoleModels | None = None
    fallbacks: Annotated[tuple[Text, ...], Field(max_length=5), AfterValidator(once_each)] = later(())
    hedge: Switch = later(False)
    panel: PanelRules | None = later(None)
    context: Switch = later(False)
    person: Switch = later(False)
    memory: Switch = later(True)
    prompts: RolePrompts | None = later(None)
    reflection: Reflection | None = later(None)
    budget_usd: Usd | None = later(None)
    budget_tokens: Tokens | None = later(None)

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.person:
            return self._by_hand()
        if (self.model is None) == (self.models is None):
            found = "neither" if self.model is None else "both"
            raise ValueError(f"found {found} of model and models, expected one of them")
        own = {model for asked in self.by_role().values() for model in _each(asked)}
        for fallback in self.fallbacks:
            if own == {fallback}:
                raise Refused("fallbacks", f"found {fallback!r}, which is the desk's own model; name another one")
        if named_model(self.reflection) and all(model.startswith("house/") for model in own):
            raise Refused("reflection", "names a model, and the desk is rule-based: it looks back by rule; remove it")
        if self.panel and not any(isinstance(asked, tuple) for asked in self.by_role().values()):
            raise Refused("panel", "combines nothing; give a role of models a list, such as risk = ['a', 'b', 'c']")
        return self

    def _by_hand(self) -> Self:
        stray = sorted(self.model_fields_set - {"name", "person"})
        if any(getattr(self, name) != type(self).model_fields[name].get_default() for name in stray):
            raise Refused("person", f"a desk that is traded by hand has a name alone; remove {', '.join(stray)}")
        return self

    @property
    def limited(self) -> bool:
        """Whether the desk has a budget of its own."""
        return self.budget_usd is not None or self.budget_tokens is not None

    def by_role(self) -> dict[str, str | tuple[str, ...]]:
        """The model of each of the four roles; a tuple for a panel. Nothing for a person's desk."""
        return dict.fromkeys(ROLES, self.model) if self.model else dict(self.models or ())

    def prompts_by_role(self) -> dict[str, str]:
        """The prompt of each role that names one."""
        return {role: prompt for role, prompt in self.prompts or () if prompt}

    def names_by_role(self) -> dict[str, str]:
        """The same in words: the members of a panel joined by plus signs."""
        return {role: " + ".join(_each(asked)) for role, asked in self.by_role().items()}

    def every_model(self) -> tuple[str, ...]:
        """Each model that may be asked for the desk, once, those of its roles first."""
        own = (model for asked in self.by_role().values() for model in _each(asked))
        return tuple(dict.fromkeys((*own, *self.fallbacks, *named_model(self.reflection))))


def _each(asked: str | tuple[str, ...]) -> tuple[str, ...]:
    return (asked,) if isinstance(asked, str) else asked
