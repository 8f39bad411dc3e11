"""``tradefloor eval ablate`` and ``eval twins``: a desk without one of its parts, and a desk on altered cases."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from arena.commands.attempting import attempts_json, make_missing, raise_incomplete
from arena.commands.evals import HELDOUT
from arena.commands.output import print_json
from arena.evaluating import open_attempts, read_desks
from arena.settings import Settings
from arena.trying import chosen_cases
from evals.ablation import Ablated, ablations, compare_ablated
from evals.suite import find_suite
from evals.twins import compare_twins
from trading.domain.errors import RequestError


def ablate(
    text: str,
    *,
    suite_name: str,
    parts: Sequence[str],
    scorer: str | None,
    epochs: int,
    cases: int | None,
    split: str,
    cap_usd: float | None,
    home: Path | None,
    data_root: Path | None,
    as_json: bool,
) -> None:
    """Try a desk and the same desk without each of its parts on the same cases, and print what each part is worth."""
    settings = Settings.load({"home": home, "data_root": data_root})
    suite, desks = find_suite(suite_name), read_desks([text], settings)
    if len(desks) != 1:
        raise RequestError(f"{text} names {len(desks)} desks, expected one")
    (whole,) = desks
    suite.scorer(scorer)
    remembers = any(case.memory is not None for case in suite.cases(settings.data_root))
    lacking = ablations(whole, remembers=remembers)
    strangers = sorted(set(parts) - lacking.keys())
    if strangers:
        raise RequestError(f"{whole.name} has no {strangers[0]} to leave out; it has {', '.join(lacking)}")
    chosen = {part: desk for part, desk in lacking.items() if not parts or part in parts}
    states = chosen_cases(suite, settings, split, cases)
    with open_attempts(settings) as store:
        tally = make_missing(suite, states, [whole, *chosen.values()], epochs, store, settings, cap_usd=cap_usd)
        found = compare_ablated(store, suite, whole, chosen, scorer=scorer, split=split)
        document: dict[str, Any] = {
            "suite": suite.name,
            "split": split,
            "variant": whole.name,
            "rule_based": whole.is_rule_based,
            "scorer": suite.scorer(scorer).name,
            "attempts": attempts_json(tally),
            "ablations": [one.to_json() for one in found],
        }
        if split == HELDOUT:
            document["looks"] = store.count_look(suite.name, whole.sha256, "ablate")
    if as_json:
        print_json(document)
    else:
        for one in found:
            typer.echo(f"without {one.without}: {one.comparison.in_words()} {_saved(one)}")
    raise_incomplete(tally, cap_usd)


def twins(
    suite_name: str,
    variant: str,
    *,
    scorer: str | None,
    split: str,
    after: str | None,
    before: str | None,
    home: Path | None,
    data_root: Path | None,
    as_json: bool,
) -> None:
    """Print what altered cases change against their plain twins."""
    settings = Settings.load({"home": home, "data_root": data_root})
    suite = find_suite(suite_name)
    with open_attempts(settings) as store:
        found = compare_twins(
            store,
            suite,
            suite.cases(settings.data_root),
            variant,
            scorer=scorer or ("edge" if any(one.name == "edge" for one in suite.scorers) else None),
            split=split,
            after=after,
            before=before,
        )
        document: dict[str, Any] = {"suite": suite_name, "split": split, "twins": [one.to_json() for one in found]}
        if split == HELDOUT:
            document["looks"] = store.count_look(suite_name, store.digest_of(variant, suite=suite_name), "twins")
    if as_json:
        print_json(document)
        return
    for one in found:
        typer.echo(one.comparison.in_words())


def _saved(one: Ablated) -> str:
    """What a decision costs less without the part."""
    said = []
    if one.saved.usd is not None:
        said.append(f"${one.saved.usd:.4g}")
    if one.saved.tokens is not None:
        said.append(f"{one.saved.tokens:,.0f} tokens")
    if one.saved.seconds is not None:
        said.append(f"{one.saved.seconds:.3g} s")
    return f"Saves {', '.join(said)} a decision." if said else "What it saves is not known."
