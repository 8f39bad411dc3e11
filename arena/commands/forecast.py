"""``tradefloor forecast``: what is to be expected of an instrument, from a registered model, in prices."""

import math
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import typer

from arena.commands.output import print_json
from arena.modelling import Asked, horizon_of, view_of
from trading.domain import duration_ms, iso
from trading.domain.errors import BadArguments, RequestError, Unavailable
from trading.forecasting import Forecaster, ReturnForecast, discover, forecaster

DRIVERS = 8
HISTORY_BARS = 1000


def show(asked: Asked, *, horizon: str, model_id: str | None, as_json: bool) -> None:
    """Print one forecast and keep it on the record. Exit 2 where nothing can be said."""
    settings = asked.settings
    horizon_ms = horizon_of(horizon, duration_ms(asked.timeframe))
    view = view_of(asked, settings, bars=HISTORY_BARS)
    try:
        document = _document(asked, view, horizon, horizon_ms, model_id)
    except Unavailable as error:
        raise RequestError(str(error)) from error

    document["validation"] = _recorded(asked, view, horizon_ms, document)
    if as_json:
        print_json(document)
    else:
        _print(document)


def _recorded(asked: Asked, view: Any, horizon_ms: int, document: dict[str, Any]) -> dict[str, Any]:
    """Keep the forecast, and the baselines' beside it; how the model's earlier ones had turned out by then."""
    from trading.forecasting.record import ForecastRecord, Recorded
    from trading.forecasting.record_scores import BASELINES

    price, quantiles = document["current_price"], document["quantiles"]
    spoken = ReturnForecast(
        p_up=document["p_up"],
        q05=quantiles["0.05"] / price - 1.0,
        q50=quantiles["0.5"] / price - 1.0,
        q95=quantiles["0.95"] / price - 1.0,
        volatility=document["volatility"],
    )
    said = {document["model_id"]: spoken}
    for name in BASELINES:
        with suppress(Unavailable, BadArguments):  # a baseline that cannot speak here is no reason to be silent
            model = forecaster(name)
            said.setdefault(name, model.forecast(view.bars(asked.instrument, model.window), horizon_ms))
    with ForecastRecord(asked.settings.home) as record:
        for model_id, one in said.items():
            record.add(
                Recorded(
                    model_id=model_id,
                    instrument=asked.instrument,
                    as_of_ms=view.as_of_ms,
                    horizon_ms=horizon_ms,
                    price=price,
                    p_up=one.p_up,
                    q05=one.q05,
                    q50=one.q50,
                    q95=one.q95,
                    volatility=one.volatility,
                )
            )
        bars = view.bars(asked.instrument, 10**9)
        closes = dict(zip((bars.open_ms + bars.step_ms).tolist(), bars.close.tolist(), strict=True))
        record.resolve(
            lambda instrument, at_ms: closes.get(at_ms) if instrument == asked.instrument else None,
            now_ms=view.as_of_ms,
        )
        scores = record.scores(until_ms=view.as_of_ms)
    mine = next(
        score
        for score in scores
        if (score.model_id, score.instrument, score.horizon_ms) == (document["model_id"], asked.instrument, horizon_ms)
    )
    return {**(document["validation"] or {}), "record": asdict(mine)}


def _document(asked: Asked, view: Any, horizon: str, horizon_ms: int, model_id: str | None) -> dict[str, Any]:
    from trading.forecasting.explanations import explain
    from trading.forecasting.registry import Key, Registry
    from trading.forecasting.serving import serve

    if model_id is not None and model_id in discover():
        return _statistical(asked, view, horizon, horizon_ms, forecaster(model_id), "asked by name")
    registry = Registry(asked.settings.home)
    key = Key(instrument=asked.instrument, step_ms=view.step_ms, horizon_ms=horizon_ms)
    entry = registry.get(model_id) if model_id is not None else _speaker(registry, key, view.as_of_ms)
    if entry is None:
        silent = "no trained model may speak at this instant"
        return _statistical(asked, view, horizon, horizon_ms, forecaster(), silent)
    if entry.key != key:
        raise RequestError(f"model {entry.model_id} forecasts {entry.key}, asked was {key}")
    bundle = registry.load(entry)
    served = serve(bundle, view, asked.instrument)
    drivers = explain(bundle, served.values).drivers[:DRIVERS]
    card = bundle.card
    return {
        **_answer(asked.instrument, horizon, horizon_ms, view.as_of_ms, served.close, served.forecast),
        "model_id": entry.model_id,
        "model_type": "boosting (xgboost)",
        "stage": entry.stage.value,
        "trained_to": iso(entry.trained_to_ms),
        "validation": {
            "from": iso(card.folds[0].test_from_ms),
            "to": iso(card.folds[-1].test_to_ms),
            "metrics": card.scores.metrics,
            "ci95": card.scores.ci95,
        },
        "features_used": list(card.features),
        "drivers": [
            {"feature": each.feature, "group": each.group, "value": each.value, "contribution": each.contribution}
            for each in drivers
        ],
    }


def _speaker(registry: Any, key: Any, as_of_ms: int) -> Any:
    """The champion, else the newest candidate; either only if it learnt from nothing after ``as_of_ms``."""
    champion = registry.champion(key)
    if champion is not None and champion.trained_to_ms <= as_of_ms:
        return champion
    fit = [
        entry for entry in registry.entries(key) if entry.stage.value == "candidate" and entry.trained_to_ms <= as_of_ms
    ]
    return fit[-1] if fit else None


def _statistical(asked: Asked, view: Any, horizon: str, horizon_ms: int, model: Forecaster, why: str) -> dict[str, Any]:
    """What a forecaster that nobody trained here says, under its own name."""
    found = model.forecast(view.bars(asked.instrument, model.window), horizon_ms)
    close = view.quote(asked.instrument).price
    return {
        **_answer(asked.instrument, horizon, horizon_ms, view.as_of_ms, close, found),
        "model_id": model.name,
        "model_type": f"{'hosted' if model.name == 'timegpt' else 'statistical'} ({why})",
        "stage": None,
        "trained_to": None,
        "validation": None,
        "features_used": ["close"],
        "drivers": [],
    }


def _answer(
    symbol: str, horizon: str, horizon_ms: int, as_of_ms: int, close: float, said: ReturnForecast
) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "interval": horizon,
        "reference_time": iso(as_of_ms),
        "prediction_time": iso(as_of_ms + horizon_ms),
        "current_price": close,
        "predicted_price": close * (1.0 + said.q50),
        "change_pct": 100.0 * said.q50,
        "p_up": said.p_up,
        "quantiles": {
            "0.05": close * (1.0 + said.q05),
            "0.5": close * (1.0 + said.q50),
            "0.95": close * (1.0 + said.q95),
        },
        "volatility": said.volatility,
        "confidence": max(said.p_up, 1.0 - said.p_up),
        "status": "success",
    }


def _print(document: dict[str, Any]) -> None:
    typer.echo(
        f"{document['symbol']} {document['interval']} from {document['reference_time']}, model {document['model_id']}"
    )
    quantiles = document["quantiles"]
    digits = max(2, 6 - math.ceil(math.log10(max(document["current_price"], 1e-6))))
    typer.echo(f"  now                {document['current_price']:.{digits}f}")
    typer.echo(f"  expected           {quantiles['0.5']:.{digits}f}  ({document['change_pct']:+.3f} %)")
    typer.echo(f"  nine in ten within {quantiles['0.05']:.{digits}f} to {quantiles['0.95']:.{digits}f}")
    typer.echo(f"  probability of up  {document['p_up']:.4f}")
    for driver in document["drivers"]:
        typer.echo(f"    {driver['feature']:<32} {driver['contribution']:+.4f}  {driver['group']}")
