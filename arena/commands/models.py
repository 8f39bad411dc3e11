"""``tradefloor models``: the registered models, who speaks and why, and how their forecasts turned out."""

from pathlib import Path
from typing import Any

import typer

from arena.commands.output import print_json
from arena.modelling import Asked, view_of
from arena.settings import Settings
from trading.domain import duration_text, iso
from trading.domain.errors import RequestError


def list_models(*, home: Path | None, as_json: bool) -> None:
    """Print every model and every change of champion."""
    from trading.forecasting.registry import Registry

    registry = Registry(Settings.load({"home": home}).home)
    entries, moves = registry.entries(), registry.moves()
    if as_json:
        print_json(
            {
                "models": [
                    {
                        "model_id": entry.model_id,
                        "instrument": entry.key.instrument,
                        "timeframe": duration_text(entry.key.step_ms),
                        "horizon": duration_text(entry.key.horizon_ms),
                        "stage": entry.stage.value,
                        "trained_to": iso(entry.trained_to_ms),
                        "registered_at": entry.registered_at,
                    }
                    for entry in entries
                ],
                "moves": [
                    {"at": move.at, "of": str(move.key), "before": move.before, "after": move.after, "why": move.reason}
                    for move in moves
                ],
            }
        )
        return
    for entry in entries:
        typer.echo(f"{entry.model_id:<40} {entry.stage:<10} {entry.key}, trained to {iso(entry.trained_to_ms)}")
    for move in moves:
        typer.echo(f"{move.at}  {move.key}: {move.before or 'nobody'} -> {move.after or 'nobody'}; {move.reason}")


def promote(model_id: str, *, reason: str, home: Path | None, as_json: bool) -> None:
    """Make a model the champion whatever the paired test said, by a person's word."""
    from trading.forecasting.registry import Registry

    registry = Registry(Settings.load({"home": home}).home)
    registry.promote(model_id, reason)
    _told({"model_id": model_id, "stage": registry.get(model_id).stage.value}, as_json)


def retire(model_id: str, *, reason: str, home: Path | None, as_json: bool) -> None:
    """Take a model out."""
    from trading.forecasting.registry import Registry

    registry = Registry(Settings.load({"home": home}).home)
    registry.retire(model_id, reason)
    _told({"model_id": model_id, "stage": registry.get(model_id).stage.value}, as_json)


def roll_back(model_id: str, *, reason: str, home: Path | None, as_json: bool) -> None:
    """Undo the change that made this model the champion."""
    from trading.forecasting.registry import Registry, Stage

    registry = Registry(Settings.load({"home": home}).home)
    entry = registry.get(model_id)
    if entry.stage is not Stage.CHAMPION:
        raise RequestError(f"model {model_id} is {entry.stage}, expected the champion; see `tradefloor models list`")
    now = registry.roll_back(entry.key, reason)
    _told({"model_id": None if now is None else now.model_id, "rolled_back": model_id}, as_json)


def score(asked: Asked, *, as_json: bool) -> None:
    """Note what came of the recorded forecasts of an instrument, and print every model's scores."""
    from dataclasses import asdict

    from trading.forecasting.record import ForecastRecord

    settings = asked.settings
    view = view_of(asked, settings)
    bars = view.bars(asked.instrument, 10**9)
    closes = dict(zip((bars.open_ms + bars.step_ms).tolist(), bars.close.tolist(), strict=True))
    with ForecastRecord(settings.home) as record:
        noted = record.resolve(
            lambda instrument, at_ms: closes.get(at_ms) if instrument == asked.instrument else None,
            now_ms=view.as_of_ms,
        )
        scores = [found for found in record.scores() if found.instrument == asked.instrument]
    if not scores:
        raise RequestError(f"no forecast of {asked.instrument} is on record; make one with `tradefloor forecast`")
    if as_json:
        print_json({"noted": noted, "scores": [asdict(found) for found in scores]})
        return
    for found in scores:
        shown = {
            "Brier": found.brier,
            "skill": found.brier_skill,
            "log": found.log_score,
            "CRPS": found.crps,
            "coverage": found.coverage90,
        }
        words = ", ".join(f"{name} {'n/a' if value is None else f'{value:.4f}'}" for name, value in shown.items())
        typer.echo(
            f"{found.model_id} {duration_text(found.horizon_ms)}: {found.ended} of {found.issued} ended; {words}"
        )
        for skill in found.skills:
            interval = "n/a" if skill.ci95 is None else f"{skill.ci95[0]:+.4f} to {skill.ci95[1]:+.4f}"
            p_value = "n/a" if skill.p_value is None else f"{skill.p_value:.3g}"
            typer.echo(
                f"  {skill.loss} saved against {skill.against}: {skill.value:+.4f} ({interval}), "
                f"p {p_value}, n {skill.n}"
            )
        if found.calibration:
            typer.echo("  said, came true: " + ", ".join(f"{p:.3f} {rose:.3f}" for p, rose, _ in found.calibration))


def _told(document: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(document)
    else:
        typer.echo(", ".join(f"{name} {value or 'nobody'}" for name, value in document.items()))
