"""Prompts: versions of what models are told, and what the aliases mean."""

from typing import Annotated

import fastapi
from pydantic import Field

from arena.access import Caller, Role
from arena.api.area import area
from arena.api.callers import needs
from arena.api.paging import AfterId, Limit, Page, page_by_id
from arena.api.problems import NotFound
from arena.api.values import Row, Said
from arena.registration import prompt_folder
from arena.services import Services
from prompts import load_prompt, use_prompts
from prompts.library import list_prompts, point_alias, text_of
from prompts.loader import aliases

RoleName = Annotated[str, fastapi.Path(pattern=r"^[a-z]{1,40}$", examples=["executor"])]
VersionName = Annotated[str, fastapi.Path(pattern=r"^[a-z0-9_]{1,60}\.v[0-9]{1,4}$", examples=["default.v1"])]
Word = Annotated[str, fastapi.Path(pattern=r"^[a-z0-9_]{1,60}$", examples=["production"])]
Reference = Annotated[
    str, Field(pattern=r"^[a-z]{1,40}/[a-z0-9_]{1,60}\.v[0-9]{1,4}$", examples=["executor/default.v1"])
]


class PromptRow(Row):
    """One version of a prompt; ``problem`` says why it cannot be used."""

    reference: str
    sha256: str | None
    author: str
    message: str
    aliases: tuple[str, ...]
    shipped: bool
    problem: str | None


class PromptText(Row):
    """A prompt with its whole text, and the slots that are filled in."""

    reference: str
    role: str
    version: int
    sha256: str
    author: str
    message: str
    slots: dict[str, str]
    text: str


class AliasRow(Row):
    """What an alias means; ``before`` is what it meant until this request, null where it did not change or was new."""

    alias: str
    means: str
    before: str | None = None


class Aliases(Row):
    """Every alias, by name."""

    aliases: tuple[AliasRow, ...]


class NewMeaning(Said):
    """The version that an alias is to mean."""

    reference: Reference


def routes(services: Services) -> fastapi.APIRouter:
    """The routes over the prompts of ``services``."""
    router = area("prompts", below="/prompts")
    reads = [needs(Role.VIEWER)]

    def known(reference: str) -> str:
        use_prompts(prompt_folder(services.settings))
        if reference not in {one.reference for one in list_prompts()}:
            raise NotFound(f"there is no prompt {reference}; GET /prompts lists what there is")
        return reference

    @router.get("", summary="Every version of every prompt", dependencies=reads)
    def prompts(
        role: Annotated[str | None, fastapi.Query(pattern=r"^[a-z]{1,40}$")] = None,
        after: AfterId = None,
        limit: Limit = 50,
    ) -> Page[PromptRow]:
        """Versions, the shipped ones first."""
        use_prompts(prompt_folder(services.settings))
        found = [one for one in list_prompts() if role is None or one.reference.startswith(f"{role}/")]
        rows = [PromptRow(**{name: getattr(one, name) for name in PromptRow.model_fields}) for one in found]
        return page_by_id(rows, limit, after, lambda row: row.reference)

    @router.get("/aliases", summary="What the aliases mean", dependencies=reads)
    def alias_list() -> Aliases:
        """Every alias with the version that it means."""
        use_prompts(prompt_folder(services.settings))
        return Aliases(aliases=tuple(AliasRow(alias=name, means=means) for name, means in sorted(aliases().items())))

    @router.put("/aliases/{role}/{word}", summary="Let an alias mean a version")
    def point(role: RoleName, word: Word, wanted: NewMeaning, _: Annotated[Caller, needs(Role.ADMIN)]) -> AliasRow:
        """Point an alias of a role at one of the role's versions; seasons that run keep the texts they began with."""
        alias = f"{role}/{word}"
        before = point_alias(alias, known(wanted.reference))
        return AliasRow(alias=alias, means=wanted.reference, before=before)

    @router.get("/{role}/{version}", summary="One prompt with its text", dependencies=reads)
    def prompt(role: RoleName, version: VersionName) -> PromptText:
        """The whole text of a version, as it stands in its file."""
        found = load_prompt(known(f"{role}/{version}"))
        return PromptText(
            reference=found.reference,
            role=found.role,
            version=found.version,
            sha256=found.sha256,
            author=found.author,
            message=found.message,
            slots={name: kind.value for name, kind in found.slots.items()},
            text=text_of(found.reference),
        )

    return router
