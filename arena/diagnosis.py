"""What is set and by whom, what can be reached, what is missing and what to do about it: for `doctor` and for pages."""

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from arena.seasons.rulefile import load_rules
from arena.settings import CONFIG, Setting, Settings
from trading.domain.errors import ConfigError, MemoryUnavailable, TradefloorError
from trading.risk import KillSwitch, Limits
from trading.storage.runs import Runs

SECRETS = ("database_url", "redis_url", "alert_urls")
"""Settings of which only whether they are set is ever shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """The state of an installation.

    ``models`` and ``venues`` are rows with ``usable`` and what is ``missing``; a problem has ``what`` is wrong and what
    to ``do``.
    """

    settings: tuple[Setting, ...]
    models: tuple[dict[str, Any], ...]
    venues: tuple[dict[str, Any], ...]
    memory: dict[str, Any]
    problems: tuple[dict[str, str], ...]

    def to_json(self) -> dict[str, Any]:
        """The document of ``doctor --json``."""
        return {
            "settings": [{"key": one.key, "value": one.value, "source": one.source} for one in self.settings],
            "models": list(self.models),
            "venues": list(self.venues),
            "memory": self.memory,
            "problems": list(self.problems),
        }


def diagnose(settings: Settings) -> Diagnosis:
    """Look at everything. Nothing is sent to anybody; models are looked up, not asked."""
    return Diagnosis(
        settings=tuple(settings.effective()),
        models=tuple(model_state(model) for model in known_models()),
        venues=({"id": "simulated", "usable": True, "missing": []},),
        memory=_memory_state(),
        problems=tuple(_problems(settings)),
    )


def usable_models() -> list[str]:
    """The models that can be asked now, those of the house first."""
    return [model for model in known_models() if model_state(model)["usable"]]


def program_version() -> str:
    """The version of the installed program; ``source`` where it runs from its folder."""
    try:
        return version("tradefloor")
    except PackageNotFoundError:
        return "source"


def _memory_state() -> dict[str, Any]:
    """How texts of trade memory can be embedded, and which way is taken where none is named."""
    from memory.embedding import HASHING, MINILM, minilm_lacks

    return {
        "embedding": HASHING,
        "embeddings": [
            {"id": HASHING, "usable": True, "note": "the default: 100,000 texts in about a minute"},
            {"id": MINILM, "usable": not minilm_lacks(), "note": "about 60 texts a second, so never by itself"},
        ],
    }


def known_models() -> Iterable[str]:
    """The house models, those of the catalogue, and every model that a season file of the configuration names."""
    from agents.llm import catalogue
    from agents.llm.house import house_models

    named = dict.fromkeys((*house_models(), *(row.id for row in catalogue().models)))
    for path in _season_files():
        with suppress(ConfigError):  # told among the problems
            for desk in load_rules(path).desks:
                named |= dict.fromkeys(desk.every_model())
    return named


def _season_files() -> list[Path]:
    return sorted((CONFIG / "seasons").glob("*.toml"))


def model_state(model: str) -> dict[str, Any]:
    """Whether a model can be asked, and what the catalogue says of it; what is not known is null."""
    from agents.llm import catalogue, is_rule_based, required_keys, unreachable

    try:
        missing = list(required_keys(model))
        absent = unreachable(model)
        missing += [absent] if absent else []
    except ConfigError as error:
        missing = [str(error)]
    row = catalogue().row(model)
    return {
        "id": model,
        "usable": not missing,
        "missing": missing,
        "rule_based": is_rule_based(model),
        "maker": row.maker if row else None,
        "context_window": row.context_window if row else None,
        "knowledge_cutoff": row.knowledge_cutoff.isoformat() if row and row.knowledge_cutoff else None,
        "abilities": sorted(row.abilities) if row else None,
        "specialities": list(row.specialities) if row else None,
        "free": row.free if row else False,
    }


def _memory_problems(settings: Settings) -> Iterable[dict[str, str]]:
    """Whether the newest memory can be opened; one that is in use is well."""
    from arena.memories import embedding_of, memory_rules, open_store

    remembering = [run for run in Runs(settings.home).all() if memory_rules(run) is not None]
    if not remembering:
        return
    try:
        open_store(remembering[-1], embedding_of(remembering[-1]), settings).close()
    except MemoryUnavailable as error:
        if not error.is_locked:
            yield {"what": str(error), "do": f"tradefloor memory rebuild {remembering[-1].run_id}"}
    except ConfigError as error:
        yield {"what": str(error), "do": f"tradefloor memory rebuild {remembering[-1].run_id} --embedding hashing"}


def _assistant_problems(settings: Settings) -> Iterable[dict[str, str]]:
    """Whether the model that is named for the floor's assistant can be asked."""
    model = settings.assistant_model
    if model is not None and (missing := model_state(model)["missing"]):
        yield {
            "what": f"the floor's assistant cannot ask {model}: {' and '.join(missing)}",
            "do": "set what is missing, or leave assistant_model out: the assistant is a rule then",
        }


def _problems(settings: Settings) -> Iterable[dict[str, str]]:
    yield from _memory_problems(settings)
    yield from _assistant_problems(settings)
    for halt in KillSwitch(settings.home).standing():
        yield {"what": f"trading is halted ({halt.scope}): {halt.reason}", "do": "tradefloor resume --reason ..."}
    if settings.data_root is not None and not settings.data_root.is_dir():
        yield {
            "what": f"the data folder {settings.data_root} is not there",
            "do": "mend TRADEFLOOR_DATA or --data-root, or leave it out and use the simulated market",
        }
    if settings.home.exists() and not (settings.home.is_dir() and os.access(settings.home, os.W_OK)):
        yield {
            "what": f"the home folder {settings.home} cannot be written",
            "do": "name another one with --home or TRADEFLOOR_HOME",
        }
    try:
        Limits.load(CONFIG / "limits.toml")
    except TradefloorError as error:
        yield {"what": str(error), "do": "mend config/limits.toml"}
    for path in _season_files():
        try:
            load_rules(path)
        except ConfigError as error:
            yield {"what": str(error), "do": f"mend {path.name}"}
