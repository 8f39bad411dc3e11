"""Forecasting models: trained, asked, explained, and which of them is champion."""

from typing import Annotated

import typer

from arena.verbs.options import At, Data, DataRoot, Home, Json

app = typer.Typer()
models = typer.Typer(help="Trained forecasting models.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(models, name="models")


@app.command()
def train(
    instrument: Annotated[str, typer.Argument(help="Such as BTC-USDT.")],
    horizon: Annotated[str, typer.Option(help="How far ahead, such as 4h.")] = "4h",
    timeframe: Annotated[str, typer.Option(help="Length of a bar.")] = "1h",
    until: Annotated[str | None, typer.Option(help="Learn from nothing after; the end of the data without it.")] = None,
    test_from: Annotated[str | None, typer.Option(help="First bar to be judged on; else the last 30 %.")] = None,
    folds: Annotated[int, typer.Option(help="Walk-forward folds to be judged on.")] = 4,
    tune: Annotated[int, typer.Option(help="Trials of a search for settings, before the first judged bar.")] = 0,
    device: Annotated[str | None, typer.Option(help="cpu or cuda.")] = None,
    promote: Annotated[str, typer.Option(help="auto (by paired test) or never.")] = "auto",
    cv: Annotated[
        str, typer.Option(help="walk-forward, or cpcv: combinatorial purged folds as well.")
    ] = "walk-forward",
    data: Data = None,
    data_root: DataRoot = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Train a forecasting model, judge it on times it had not seen, and register it."""
    from arena.commands.train import train_model
    from arena.modelling import Asked

    asked = Asked(
        instrument=instrument, timeframe=timeframe, until=until, data=data or [], home=home, data_root=data_root
    )
    train_model(
        asked,
        horizon=horizon,
        folds=folds,
        test_from=test_from,
        tune=tune,
        device=device,
        promote=promote,
        cv=cv,
        as_json=as_json,
    )


@app.command()
def retrain(
    instruments: Annotated[list[str] | None, typer.Argument(metavar="[INSTRUMENT]...", help="All without any.")] = None,
    every: Annotated[str, typer.Option(help="Age at which a champion is made anew in any case.")] = "7d",
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again, until stopped.")] = False,
    check: Annotated[str, typer.Option(help="With --watch: how long between two looks.")] = "1h",
    until: Annotated[str | None, typer.Option(help="Use nothing after; the end of the data without it.")] = None,
    data: Data = None,
    data_root: DataRoot = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make champions anew that are too old, whose features or losses have drifted, or whose regime is over."""
    from arena.commands.retrain import retrain as look

    look(
        instruments or [],
        every=every,
        watch=watch,
        check=check,
        until=until,
        data=data or [],
        data_root=data_root,
        home=home,
        as_json=as_json,
    )


@app.command()
def forecast(
    instrument: Annotated[str, typer.Argument(help="Such as BTC-USDT.")],
    horizon: Annotated[str, typer.Option(help="How far ahead, such as 4h.")] = "4h",
    timeframe: Annotated[str, typer.Option(help="Length of a bar.")] = "1h",
    at: At = None,
    model: Annotated[str | None, typer.Option(help="A model's id, or timegpt; the champion without it.")] = None,
    data: Data = None,
    data_root: DataRoot = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Forecast an instrument with the registry's model, and keep the forecast to be scored."""
    from arena.commands.forecast import show
    from arena.modelling import Asked

    asked = Asked(instrument=instrument, timeframe=timeframe, until=at, data=data or [], home=home, data_root=data_root)
    show(asked, horizon=horizon, model_id=model, as_json=as_json)


@app.command()
def importance(
    instrument: Annotated[str, typer.Argument(help="Such as BTC-USDT.")],
    horizon: Annotated[str, typer.Option(help="How far ahead, such as 4h.")] = "4h",
    timeframe: Annotated[str, typer.Option(help="Length of a bar.")] = "1h",
    target: Annotated[str, typer.Option(help="direction or volatility.")] = "direction",
    until: Annotated[str | None, typer.Option(help="Look at nothing after; the end of the data without it.")] = None,
    folds: Annotated[int, typer.Option(help="Walk-forward folds.")] = 4,
    seeds: Annotated[int, typer.Option(help="Seeds, to see what is chance.")] = 2,
    prune: Annotated[bool, typer.Option("--prune", help="Measure what leaving out the useless does.")] = False,
    data: Data = None,
    data_root: DataRoot = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Measure which features a forecasting model lives on."""
    from arena.commands.importance import show
    from arena.modelling import Asked

    asked = Asked(
        instrument=instrument, timeframe=timeframe, until=until, data=data or [], home=home, data_root=data_root
    )
    show(asked, horizon=horizon, target=target, folds=folds, seeds=seeds, pruning=prune, as_json=as_json)


ModelId = Annotated[str, typer.Argument(metavar="MODEL", help="A model's id.")]
Reason = Annotated[str, typer.Option("--reason", help="Why.")]


@models.command("list")
def models_list(home: Home = None, as_json: Json = False) -> None:
    """List the trained models and every change of champion."""
    from arena.commands.models import list_models

    list_models(home=home, as_json=as_json)


@models.command("promote")
def models_promote(model: ModelId, reason: Reason, home: Home = None, as_json: Json = False) -> None:
    """Make a model the one that speaks."""
    from arena.commands.models import promote

    promote(model, reason=reason, home=home, as_json=as_json)


@models.command("retire")
def models_retire(model: ModelId, reason: Reason, home: Home = None, as_json: Json = False) -> None:
    """Take a model out."""
    from arena.commands.models import retire

    retire(model, reason=reason, home=home, as_json=as_json)


@models.command("rollback")
def models_rollback(model: ModelId, reason: Reason, home: Home = None, as_json: Json = False) -> None:
    """Undo the change that made a model the champion."""
    from arena.commands.models import roll_back

    roll_back(model, reason=reason, home=home, as_json=as_json)


@models.command("score")
def models_score(
    instrument: Annotated[str, typer.Argument(help="Such as BTC-USDT.")],
    timeframe: Annotated[str, typer.Option(help="Length of a bar.")] = "1h",
    until: Annotated[str | None, typer.Option(help="Use no price after; the end of the data without it.")] = None,
    data: Data = None,
    data_root: DataRoot = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Score the forecasts on record whose horizon has ended."""
    from arena.commands.models import score
    from arena.modelling import Asked

    asked = Asked(
        instrument=instrument, timeframe=timeframe, until=until, data=data or [], home=home, data_root=data_root
    )
    score(asked, as_json=as_json)
