"""A risk report and a simulation as text for a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

import typer

_LEVELS = ("0.95", "0.99")


def print_report(document: Mapping[str, Any]) -> None:
    """The report, most important first."""
    hours = document["horizon_s"] / 3600
    typer.echo(f"{document['of']} at {document['as_of']} ({document['source']}), equity {document['equity']}")
    typer.echo(f"losses over {hours:g} h as a fraction of equity, from {document['observations']} past horizons")
    typer.echo(f"{'':<16}{'VaR 95 %':>10}{'VaR 99 %':>10}{'CVaR 95 %':>11}{'CVaR 99 %':>11}  99 % VaR of the next bar")
    for method in document["var"]:
        var, cvar = document["var"][method], document["cvar"][method]
        cells = [_percent(found[level]) for found in (var, cvar) for level in _LEVELS]
        judged = _judged(document["backtest"].get(method))
        line = f"{cells[0]:>10}{cells[1]:>10}{cells[2]:>11}{cells[3]:>11}  {judged}"
        typer.echo(f"{method.replace('_', ' '):<16}{line}".rstrip())
    _print_shape(document)
    for row in document["components"]:
        words = f"weight {row['weight']:+.3f}, component VaR 99 % {_percent(row['component_var'])}"
        closing = document["days_to_close"].get(row["instrument"])
        typer.echo(f"{row['instrument']:<16}  {words}, days to close {_number(closing)}")
    for row in document["desks"]:
        fatal = f", liquidated by {'; '.join(row['liquidated_by'])}" if row["liquidated_by"] else ""
        typer.echo(
            f"desk {row['desk']:<16} equity {row['equity']}, component VaR {_percent(row['component_var'])}{fatal}"
        )
    _print_season(document["season_backtest"])
    for row in document["stress"]:
        flag = "  LIQUIDATED" if row["liquidated"] else ""
        words = f"loss {_percent(row['loss'])}, VaR 99 % of a day {_percent(row['var_after'])}"
        typer.echo(f"{row['shock']:<20} {words}{_by_position(row['positions'])}{flag}")
    for row in document["windows"]:
        flag = "  LIQUIDATED" if row["liquidated"] else ""
        words = f"loss {_percent(row['loss'])}, deepest {_percent(row['deepest'])}"
        without = f", without {', '.join(row['missing'])}" if row["missing"] else ""
        begin = row["begin"][:16]
        typer.echo(f"{row['window']:<20} from {begin}: {words}{without}{_by_position(row['positions'])}{flag}")
    _print_options(document["options"])
    _print_proposal(document["proposal"])
    for note in document["notes"]:
        typer.echo(note)


def print_outcomes(document: Mapping[str, Any]) -> None:
    """What came of drawn paths."""
    days = document["horizon_s"] / 86_400
    typer.echo(f"{document['of']} at {document['as_of']} ({document['source']}), equity {document['equity']}")
    typer.echo(f"{document['paths']} paths of {days:g} d, model {document['model']}, scenario {document['scenario']}")
    typer.echo(f"{'':<18}" + "".join(f"{float(level) * 100:>9g} %" for level in document["terminal"]))
    for label, key in (("terminal wealth", "terminal"), ("deepest fall", "drawdown")):
        typer.echo(f"{label:<18}" + "".join(f"{value:>11.4f}" for value in document[key].values()))
    typer.echo(
        f"ends below today {_percent(document['loss_probability'])}, ruined {_percent(document['ruin_probability'])}"
    )
    typer.echo(f"VaR 99 % {_percent(document['var']['0.99'])}, CVaR 99 % {_percent(document['cvar']['0.99'])}")


def _print_shape(document: Mapping[str, Any]) -> None:
    shape, margin = document["concentration"], document["margin"]
    beta = f", beta to {document['benchmark']} {_number(document['beta'])}" if document["benchmark"] else ""
    typer.echo(f"gross {document['gross']:.3f}, net {document['net']:+.3f}{beta}")
    typer.echo(
        f"volatility a year {_percent(document['volatility'])}, positions as if equal "
        f"{_number(shape['effective_positions'])}, effective bets {_number(shape['effective_bets'])}"
    )
    falls = document["drawdown_30d"]
    if falls:
        typer.echo(
            f"deepest fall in 30 d: half of the time {_percent(falls['0.5'])}, 5 in 100 {_percent(falls['0.95'])}, "
            f"mean of these {_percent(document['drawdown_30d_worst_5pct'])}"
        )
    distance = [
        f"all prices {word} {_percent(margin[key])}"
        for word, key in (("fall", "liquidation_if_all_fall"), ("rise", "liquidation_if_all_rise"))
        if margin[key] is not None
    ]
    typer.echo(
        f"margin used {_percent(margin['used'])}" + (f", liquidated when {' or '.join(distance)}" if distance else "")
    )


def _print_season(found: Mapping[str, Any] | None) -> None:
    if found is None:
        return
    if found["reason"]:
        typer.echo(f"back-test of the season: none, {found['reason']}")
    for row in found["desks"]:
        moves, equity = row["moves"], row["equity"]
        typer.echo(
            f"back-test of the season, {row['desk']}, {row['method']}: {moves['exceedances']} of "
            f"{moves['expected']:.1f} expected in {moves['observations']} steps ({equity['exceedances']} with trades "
            f"and fees), {moves['light']}, {moves['verdict']}"
        )


def _print_options(found: Mapping[str, Any] | None) -> None:
    for coin, row in (found["by_coin"] if found else {}).items():
        typer.echo(
            f"options on {coin}: value {row['value']:.2f}, delta {row['delta']:+.4f} {coin}, gamma "
            f"{row['gamma_1pct']:+.4f} a 1 % move, vega {row['vega_1pt']:+.2f} a point, "
            f"theta {row['theta_1d']:+.2f} a day"
        )


def _print_proposal(found: Mapping[str, Any] | None) -> None:
    if found is None:
        return
    asked = ", ".join(f"{symbol} {quantity}" for symbol, quantity in found["changes"].items())
    before, after = found["before"], found["after"]
    typer.echo(f"proposed {asked}:")
    rows = [
        (f"{kind} {float(level) * 100:g} %", before[key][level], after[key][level])
        for kind, key in (("VaR", "var"), ("CVaR", "cvar"))
        for level in _LEVELS
    ]
    rows += [
        (label, before[key], after[key])
        for label, key in (("gross", "gross"), ("net", "net"), ("margin", "margin_used"))
    ]
    for label, was, becomes in rows:
        typer.echo(f"  {label:<12}{_percent(was):>10} becomes {_percent(becomes):>10}")


def _judged(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return ""
    words = f"{row['exceedances']} losses beyond it of {row['expected']:.0f} expected in {row['observations']}"
    return f"{words}: {row['verdict']}, {row['light']}"


def _by_position(results: Mapping[str, float]) -> str:
    if len(results) < 2:
        return ""
    moved = {symbol: result for symbol, result in results.items() if result}
    largest: Sequence[str] = sorted(moved, key=lambda symbol: -abs(moved[symbol]))[:3]
    if not largest:
        return ""
    return " (" + ", ".join(f"{symbol} {results[symbol]:+.2%}" for symbol in largest) + ")"


def _number(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.2f}"


def _percent(value: float | None) -> str:
    return "n/a" if value is None else f"{value * 100:.2f} %"
