"""``tradefloor doctor``: what is set and by whom, what can be reached, what is missing and what to type."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import typer

from arena.commands.output import print_json
from arena.seasons.rulefile import load_rules
from arena.settings import CONFIG, Settings
from trading.domain.errors import ConfigError, TradefloorError
from trading.risk import KillSwitch, Limits


def examine(*, home: Path | None, data_root: Path | None, as_json: bool) -> None:
    """Print the effective configuration and every problem with its remedy."""
    settings = Settings.load({"home": home, "data_root": data_root})
    problems = list(_problems(settings))
    models = [_model(model) for model in _models()]
    document = {
        "settings": [
            {"key": setting.key, "value": setting.value, "source": setting.source} for setting in settings.effective()
        ],
        "models": models,
        "venues": [{"id": "simulated", "usable": True, "missing": []}],
        "problems": problems,
    }
    if as_json:
        print_json(document)
        return
    for setting in document["settings"]:
        typer.echo(f"{setting['key']:<14} {setting['value'] or 'unset':<40} {setting['source']}")
    for model in models:
        state = "usable" if model["usable"] else f"needs {', '.join(model['missing'])}"
        typer.echo(f"{model['id']:<52} {state}{' (free)' if model['free'] else ''}")
    typer.echo(f"{'venue simulated':<52} usable")
    for problem in problems:
        typer.echo(f"problem: {problem['what']}\n     do: {problem['do']}")
    if not problems:
        typer.echo("no problems found")


def _models() -> Iterable[str]:
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


def _model(model: str) -> dict[str, Any]:
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


def _problems(settings: Settings) -> Iterable[dict[str, str]]:
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
