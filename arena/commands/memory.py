"""``tradefloor memory``: search what desks remember, check it, make it anew, and measure what it did."""

from contextlib import closing
from pathlib import Path
from typing import Any

import typer

from arena.commands.output import print_json, say
from arena.memories import bring_up_to_date, derived, embedding_of, memory_rules, open_store, rebuild_store
from arena.memory_documents import lesson_document
from arena.memory_search import chosen_run, search_document
from arena.settings import Settings
from memory.derive import Audit, audit_store
from memory.lessons import distil
from memory.shelf import Shelf
from trading.domain import iso, parse_instant, to_ms
from trading.domain.errors import RequestError
from trading.storage.runs import RunFolder, Runs

_MAX_TEXT = 2_000


def search(
    text: str, *, as_of: str, run: str | None, desk: str | None, count: int, home: Path | None, as_json: bool
) -> None:
    """Print the remembered decisions whose texts are nearest, as they were known at ``as_of``."""
    settings = Settings.load({"home": home})
    as_of_ms = to_ms(parse_instant(as_of))
    if not text.strip() or len(text) > _MAX_TEXT:
        raise RequestError(f"memory search: found a text of {len(text)} characters, expected 1 to {_MAX_TEXT}")
    document = search_document(settings, text, as_of_ms=as_of_ms, run=run, desk=desk, count=count)
    hits, refused = document["hits"], document["refused"]
    if refused:
        say(f"tradefloor: {refused} items rest on no journal event and are not shown; `memory stats` names them")
    if as_json:
        print_json(document)
        return
    for hit in hits:
        outcome = hit["outcome"]
        known = "not known then" if outcome is None else f"{outcome['kind']} {outcome['net_return']:+.2%}"
        typer.echo(f"{hit['similarity']:.3f}  {hit['decided_at']}  {hit['desk']:<14} {hit['instrument']:<16} {known}")
        typer.echo(f"       {hit['text']}")
    if not hits:
        typer.echo(f"nothing was remembered before {iso(as_of_ms)}")


def stats(run: str | None, *, home: Path | None, as_json: bool) -> None:
    """Print what a run's memory holds, and exit 1 where an item is not what its journal says."""
    settings = Settings.load({"home": home})
    folder = chosen_run(settings, run)
    with closing(open_store(folder, embedding_of(folder), settings)) as store:
        truth = bring_up_to_date(folder, store)
        counts, audit = store.counts(), audit_store(store, truth)
    document = {
        "run_id": folder.run_id,
        "embedding": embedding_of(folder),
        **counts,
        **{
            f"{name}_per_episode": round(counts[name] / counts["episodes"]) if counts["episodes"] else None
            for name in ("bytes", "bytes_index", "bytes_vectors")
        },
        "verified": audit.good,
        "planted": list(audit.planted),
        "altered": list(audit.altered),
    }
    if as_json:
        print_json(document)
    else:
        index, vectors = (document[f"{name}_per_episode"] for name in ("bytes_index", "bytes_vectors"))
        each = "" if index is None else f", {index} bytes of index and {vectors} of vectors for each episode"
        typer.echo(
            f"{folder.run_id}: {counts['episodes']} episodes of {counts['desks']} desks, {counts['closed']} with an "
            f"outcome, {counts['vectors']} vectors ({document['embedding']}), {counts['bytes'] / 1e6:.1f} MB{each}; "
            f"{audit.good} verified against the journal"
        )
    if not audit.ok:
        _complain(folder, audit)


def lessons(run: str | None, *, as_of: str | None, desk: str | None, home: Path | None, as_json: bool) -> None:
    """Print every rule that was ever a candidate in a run, by desk."""
    settings = Settings.load({"home": home})
    folder = chosen_run(settings, run)
    rules = memory_rules(folder)
    found = derived(folder)
    horizon_ms = found.horizon_ms
    end_ms = max((episode.decided_ms for episode in found.episodes), default=0) + horizon_ms + 1
    as_of_ms = end_ms if as_of is None else to_ms(parse_instant(as_of))
    desks = sorted({episode.desk for episode in found.episodes})
    if desk is not None and desk not in desks:
        raise RequestError(f"{folder.run_id} remembers no desk {desk[:60]!r}; there are {', '.join(desks) or 'none'}")
    told: dict[str, list[dict[str, Any]]] = {}
    for name in desks if desk is None else [desk]:
        shelf = Shelf()
        for episode in found.episodes:
            if episode.desk == name or (rules is not None and rules.shared):
                shelf.add(episode)
        told[name] = [lesson_document(one) for one in distil([shelf], as_of_ms, horizon_ms=horizon_ms).all()]
    if as_json:
        print_json({"run_id": folder.run_id, "as_of": iso(as_of_ms), "desks": told})
        return
    for name, rows in told.items():
        typer.echo(f"{name}: {len(rows)} rules tried" if rows else f"{name}: too little evidence for any rule")
        for row in rows:
            typer.echo(
                f"  {row['status']:<10} {row['about']:<10} {row['rule']:<24} {row['effect']:+.3%}  "
                f"for {row['evidence_for']} against {row['evidence_against']}  {row['reason']}"
            )


def rebuild(run: str | None, *, embedding: str | None, home: Path | None, as_json: bool) -> None:
    """Make a run's memory anew from its journal. What is damaged is set aside; nothing is deleted."""
    settings = Settings.load({"home": home})
    folder = chosen_run(settings, run)
    name = embedding or embedding_of(folder)
    counts, aside = rebuild_store(folder, name, settings, lambda done, of: say(f"embedded {done} of {of} texts"))
    document = {
        "run_id": folder.run_id,
        "embedding": name,
        "episodes": counts["episodes"],
        "vectors": counts["vectors"],
        "set_aside": [str(path) for path in aside],
    }
    if as_json:
        print_json(document)
        return
    typer.echo(f"{folder.run_id}: {counts['episodes']} episodes from the journal, {counts['vectors']} vectors ({name})")
    for path in aside:
        typer.echo(f"set aside: {path}")


def compare(first: str, second: str, *, home: Path | None, as_json: bool) -> None:
    """Print what differs between two runs of one season, paired."""
    from arena.seasons.memory_effect import effect_document

    runs = Runs(Settings.load({"home": home}).home)
    document = effect_document(runs.get(first), runs.get(second))
    if as_json:
        print_json(document)
        return
    typer.echo(f"{first} ({document['first']['memory']}) against {second} ({document['second']['memory']})")
    for row in document["desks"]:
        change = row["return_a_step"]
        interval = "difference n/a"
        if change is not None:
            low, high = change["ci95"]
            interval = f"{change['difference']:+.4%} in 8 h [{low:+.4%}, {high:+.4%}]"
        typer.echo(
            f"  {row['desk']:<14} {row['decisions_changed']:>4} of {row['decisions']} decisions changed, "
            f"{row['recalls']} recalls, {interval}: {row['verdict']}"
        )
    typer.echo(f"all desks: {document['verdict']}")


def _complain(folder: RunFolder, audit: Audit) -> None:
    named = [*audit.planted, *audit.altered][:5]
    say(
        f"tradefloor: {folder.run_id}: {len(audit.planted)} items rest on no journal event, {len(audit.altered)} "
        f"are not what their events say ({', '.join(named)} ...); `memory rebuild {folder.run_id}` makes it anew"
    )
    raise typer.Exit(1)
