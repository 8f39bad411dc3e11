"""Season files: what a good one says, and the one line that each bad one gets."""

import tomllib
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from arena.seasons.cassette_rules import CassetteRules
from arena.seasons.rulefile import load_rules
from arena.seasons.rules import SeasonRules
from trading.domain.errors import ConfigError

SEASONS = Path(__file__).parents[3] / "config" / "seasons"

GOOD = """
[season]
name = "trial"
seed = 7
start = 2025-10-17T00:00:00Z
end = 2025-10-18T00:00:00Z
every = "1h"
capital = 10000
mode = "balanced"

[market]
kind = "replay"
paths = ["candles/*-1h.parquet"]
instruments = ["BTC-USDT-PERP", "ETH-USDT-PERP"]

[costs]
taker_fee_bps = 4.5

[limits]
max_leverage = 2

[[desk]]
name = "momentum"
model = "house/momentum"

[[desk]]
name = "mixed"
models = { analyst = "a/one", forecaster = "b/two", risk = "c/three", executor = "d/four" }
"""


@pytest.fixture
def season(tmp_path: Path) -> Path:
    path = tmp_path / "trial.toml"
    path.write_text(GOOD, "utf-8")
    return path


def refusal(path: Path, *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_rules(path, overrides)
    line = str(caught.value)
    assert "\n" not in line
    assert caught.value.exit_code == 2
    return line


def test_a_good_file_is_read_as_written(season: Path) -> None:
    rules = load_rules(season)
    assert rules.season.start == datetime(2025, 10, 17, tzinfo=UTC)
    assert rules.season.rounds == 24
    assert rules.season.capital == Decimal(10000)
    assert rules.costs.given() == {"taker_fee_bps": Decimal("4.5")}
    assert rules.limits == {"max_leverage": 2}
    assert rules.market.step_ms is None
    assert rules.desks[0].by_role() == dict.fromkeys(("analyst", "forecaster", "risk", "executor"), "house/momentum")
    assert rules.desks[1].by_role()["risk"] == "c/three"


@pytest.mark.parametrize("path", sorted(SEASONS.glob("*.toml")), ids=lambda path: path.stem)
def test_the_seasons_that_ship_are_valid_and_named_as_their_files(path: Path) -> None:
    rules = load_rules(path)
    assert rules.season.name == path.stem
    assert len(rules.desks) >= (1 if rules.market.kind == "live" else 2)
    assert all(model == f"house/{desk.name}" for desk in rules.desks for model in desk.by_role().values())


def test_the_shipped_seasons_are_as_long_as_they_say() -> None:
    rounds = {path.stem: load_rules(path).season.rounds for path in SEASONS.glob("*.toml")}
    assert rounds == {
        "demo": 90 * 24,
        "october": 408,
        "spot": 30 * 24,
        "crash": 36 * 12,
        "memory": 61 * 6,
        "paper": 2688,
        "testnet": 7 * 96,
    }


@pytest.mark.parametrize(
    ("before", "after", "key", "said"),
    [
        ('name = "trial"', 'name = "Trial One"', "season.name", "joined by hyphens"),
        ('name = "trial"', "", "season.name", "is missing"),
        ('name = "trial"', 'nmae = "trial"', "season.nmae", "did you mean name?"),
        ("seed = 7", "seed = 7.5", "season.seed", "found 7.5, expected a whole number"),
        ("seed = 7", "seed = true", "season.seed", "found True, expected a whole number"),
        ("seed = 7", 'seed = "7"', "season.seed", "found '7', expected a whole number"),
        ("seed = 7", "seed = -1", "season.seed", "found -1"),
        ("2025-10-17T00:00:00Z", "2025-10-17T00:00:00", "season.start", "with zone"),
        ("2025-10-17T00:00:00Z", "2025-10-17", "season.start", "with zone"),
        ("2025-10-17T00:00:00Z", "1760659200", "season.start", "with zone"),
        ("2025-10-17T00:00:00Z", '"yesterday"', "season.start", "with zone"),
        ("2025-10-17T00:00:00Z", "2025-10-17T00:30:00Z", "season.start", "a multiple of 60 minutes"),
        ("2025-10-18T00:00:00Z", "2025-10-16T00:00:00Z", "season.end", "later than start"),
        ("2025-10-18T00:00:00Z", "2025-10-17T00:00:00Z", "season.end", "later than start"),
        ("2025-10-18T00:00:00Z", "2025-10-17T00:59:00Z", "season.every", "at least one round"),
        ('every = "1h"', 'every = "90s"', "season.every", "whole minutes"),
        ('every = "1h"', 'every = "hourly"', "season.every", "expected a whole number and one of s, m, h"),
        ('every = "1h"', "every = 60", "season.every", "text in quotes"),
        ("capital = 10000", "capital = 0", "season.capital", "found 0, expected greater than 0"),
        ("capital = 10000", "capital = -5", "season.capital", "found -5, expected greater than 0"),
        ("capital = 10000", "capital = nan", "season.capital", "expected a finite number"),
        ("capital = 10000", "capital = inf", "season.capital", "expected a finite number"),
        ("capital = 10000", "capital = true", "season.capital", "expected a number"),
        ("capital = 10000", 'capital = "lots"', "season.capital", "expected a number"),
        ("capital = 10000", "capital = [1]", "season.capital", "expected a number"),
        ('mode = "balanced"', 'mode = "reckless"', "season.mode", "'balanced'"),
        ('kind = "replay"', 'kind = "live"', "market.venue", "is missing"),
        ('kind = "replay"', 'kind = "live"\nvenue = "binance"', "market.paths", "another kind"),
        ('kind = "replay"', 'kind = "replay"\nvenue = "binance"', "market.venue", "another kind"),
        ('kind = "replay"', 'kind = "paper"\nvenue = "No Such"', "market.venue", ""),
        ('kind = "replay"', 'kind = "reply"', "market.kind", "'simulated', 'replay'"),
        ('kind = "replay"', 'kind = "simulated"', "market.paths", "another kind"),
        ('kind = "replay"', 'kind = "replay"\nstep = "1h"', "market.step", "another kind"),
        ('paths = ["candles/*-1h.parquet"]', "", "market.paths", "is missing"),
        ('paths = ["candles/*-1h.parquet"]', "paths = []", "market.paths", "is missing"),
        ('paths = ["candles/*-1h.parquet"]', 'paths = "candles/*"', "market.paths", "a list"),
        ('"ETH-USDT-PERP"]', '"BTC-USDT-PERP"]', "market.instruments", "stands there 2 times"),
        ('"ETH-USDT-PERP"]', '"ETH-USDC-PERP"]', "market.instruments", "quote currencies"),
        ('"ETH-USDT-PERP"]', '"ether"]', "market.instruments", "BASE-QUOTE"),
        ('["BTC-USDT-PERP", "ETH-USDT-PERP"]', "[]", "market.instruments", "at least one"),
        ("taker_fee_bps = 4.5", "taker_fee_pct = 4.5", "costs.taker_fee_pct", "did you mean taker_fee_bps?"),
        ("taker_fee_bps = 4.5", "taker_fee_bps = -1", "costs.taker_fee_bps", "greater than or equal to 0"),
        ("taker_fee_bps = 4.5", "latency_ms = 1.5", "costs.latency_ms", "a whole number"),
        ('name = "mixed"', 'name = "momentum"', "desk", "'momentum' stands there 2 times"),
        ('model = "house/momentum"', "", "desk.0", "found neither"),
        ('model = "house/momentum"', 'model = ""', "desk.0.model", "at least 1 character"),
        ("models = {", 'model = "x/y"\nmodels = {', "desk.1", "found both"),
        (', executor = "d/four"', "", "desk.1.models.executor", "is missing"),
        ("risk = ", "riks = ", "desk.1.models.riks", "did you mean risk?"),
        ("[costs]", "[cost]", "cost", "did you mean costs?"),
        ("[limits]\nmax_leverage = 2", "limits = 3", "limits", "a table"),
        ("seed = 7", 'deadline = "soon"', "season.deadline", "one of s, m, h"),
        ("seed = 7", "thinking_ms = 1.5", "season.thinking_ms", "a whole number"),
        ("seed = 7", "thinking_ms = -1", "season.thinking_ms", "greater than or equal to 0"),
        ('risk = "c/three"', "risk = []", "desk.1.models.risk", "a list of 0, expected 2 to 9 models"),
        ('risk = "c/three"', 'risk = ["c/three"]', "desk.1.models.risk", "one model needs no list"),
        ('risk = "c/three"', 'risk = ["c/three", 3]', "desk.1.models.risk", "a model or a list of models"),
        ('risk = "c/three"', 'risk = ["c/three", ""]', "desk.1.models.risk", "a model or a list of models"),
        ('risk = "c/three"', "risk = 3", "desk.1.models.risk", "found 3, expected a model or a list of models"),
        ('name = "mixed"', 'name = "mixed"\npanel = { combine = "median" }', "desk.1.panel", "combines nothing"),
        ('name = "mixed"', 'name = "mixed"\npanel = { combine = "mean" }', "desk.1.panel.combine", "'median'"),
        ('name = "mixed"', 'name = "mixed"\npanel = {}', "desk.1.panel.combine", "is missing"),
        ('name = "mixed"', 'name = "mixed"\nfallbacks = "a/one"', "desk.1.fallbacks", "a list"),
        ('name = "mixed"', 'name = "mixed"\nfallbacks = ["e/five", "e/five"]', "desk.1.fallbacks", "2 times"),
        ('name = "momentum"', 'name = "momentum"\nfallbacks = ["house/momentum"]', "desk.0.fallbacks", "own model"),
        ('name = "mixed"', 'name = "mixed"\nhedge = "yes"', "desk.1.hedge", "true or false"),
        ('name = "mixed"', 'name = "mixed"\nhegde = true', "desk.1.hegde", "did you mean hedge?"),
        ('name = "mixed"', 'name = "mixed"\ncontext = 1', "desk.1.context", "true or false"),
        ('name = "mixed"', 'name = "mixed"\nbudget_usd = 0', "desk.1.budget_usd", "greater than 0"),
        ('name = "mixed"', 'name = "mixed"\nbudget_usd = "5"', "desk.1.budget_usd", "a number without quotes"),
        ('name = "mixed"', 'name = "mixed"\nbudget_tokens = 1e6', "desk.1.budget_tokens", "a whole number"),
        ("[limits]", "[budget]\nwarn_at = 0.5\n[limits]", "budget", "limits nothing"),
        ("[limits]", "[budget]\nusd = 5\nwarn_at = 1.5\n[limits]", "budget.warn_at", "less than or equal to 1"),
        ("[limits]", "[budget]\nusd = -5\n[limits]", "budget.usd", "greater than 0"),
        ("[limits]", "[budget]\nusd = inf\n[limits]", "budget.usd", "a finite number"),
        ("[limits]", "[budget]\ndollars = 5\n[limits]", "budget.dollars", "expected one of usd"),
        ("[limits]", '[budget]\nusd = 5\non_exhausted = "go on"\n[limits]', "budget.on_exhausted", "'stop'"),
        ("[limits]", "[budget]\nusd = 5\ndegrade = {}\n[limits]", "budget.degrade", "changes nothing"),
        ("[limits]", '[budget]\nusd = 5\ndegrade = { roles = ["risk"] }\n[limits]', "budget.degrade.roles", "executor"),
        (
            "[limits]",
            '[budget]\nusd = 5\ndegrade = { roles = ["trader"] }\n[limits]',
            "budget.degrade.roles.0",
            "'executor'",
        ),
        (
            "[limits]",
            '[budget]\nusd = 5\ndegrade = { models = { trader = "x/y" } }\n[limits]',
            "budget.degrade.models.trader",
            "expected one of analyst",
        ),
        (
            "[limits]",
            '[budget]\nusd = 5\ndegrade = { at = 0.5, roles = ["executor"] }\n[limits]',
            "budget.degrade.at",
            "no less than warn_at",
        ),
        ("[limits]", '[cassette]\nmode = "rewind"\n[limits]', "cassette.mode", "'replay'"),
        ("[limits]", "[cassette]\npath = 3\n[limits]", "cassette.path", "found 3"),
    ],
)  # fmt: skip
def test_each_mistake_is_refused_in_one_line_with_its_key(
    season: Path, before: str, after: str, key: str, said: str
) -> None:
    assert before in GOOD
    text = GOOD.replace(before, after, 1)
    if after.startswith("limits ="):  # a bare key belongs above the tables
        text = f"{after}\n" + GOOD.replace(before, "", 1)
    season.write_text(text, "utf-8")
    line = refusal(season)
    assert line.startswith(f"{season}: {key}")
    assert said in line


def test_a_season_needs_a_desk(season: Path) -> None:
    season.write_text(GOOD[: GOOD.index("[[desk]]")], "utf-8")
    assert "desk: is missing" in refusal(season)


@pytest.mark.parametrize("rubbish", [b"", b"[season", b"\xff\xfe\x00", b"desk = 3", b"[[season]]\nname = 1"])
def test_a_file_that_is_no_season_is_refused(season: Path, rubbish: bytes) -> None:
    season.write_bytes(rubbish)
    assert refusal(season).startswith(f"{season}: ")


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "none.toml")
    assert "cannot be read" in refusal(tmp_path)


def test_overrides_replace_values_by_dotted_key(season: Path) -> None:
    rules = load_rules(
        season,
        [
            "season.seed=8",
            "season.end = 2025-10-19T00:00:00Z",
            "season.name=other",
            "costs.slippage_bps=3",
            "desk.momentum.model=house/meanrev",
            'desk.1.models.risk="e/five"',
        ],
    )
    assert (rules.season.seed, rules.season.rounds, rules.season.name) == (8, 48, "other")
    assert rules.costs.given() == {"taker_fee_bps": Decimal("4.5"), "slippage_bps": Decimal(3)}
    assert rules.desks[0].model == "house/meanrev"
    assert rules.desks[1].by_role()["risk"] == "e/five"


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("season.seed", "expected key=value"),
        ("=8", "expected key=value"),
        ("season..seed=8", "expected key=value"),
        ("season.speed=8", "season.speed: unknown key"),
        ("season.seed=eight", "expected a whole number"),
        ("season.seed.low=8", "season.seed is not a table"),
        ("season.seed.low.er=8", "not a table"),
        ("desk.nobody.model=house/random", "found no 'nobody' in the list"),
        ("desk.2.model=house/random", "found no '2' in the list"),
        ("desk.momentum=house/random", "is not a table"),
    ],
)
def test_a_wrong_override_is_refused(season: Path, override: str, said: str) -> None:
    assert said in refusal(season, override)


def test_the_hash_knows_content_from_form(season: Path) -> None:
    first = load_rules(season).rules_sha256
    text = GOOD.replace("capital = 10000", "capital = 10000.00").replace(
        "2025-10-17T00:00:00Z", "2025-10-17T02:00:00+02:00"
    )
    season.write_text("# a remark\n" + text, "utf-8")
    assert load_rules(season).rules_sha256 == first
    assert load_rules(season, ["season.capital=10001"]).rules_sha256 != first
    assert load_rules(season, ["limits.max_leverage=1"]).rules_sha256 != first


def test_the_hash_does_not_change_between_versions_unnoticed(season: Path) -> None:
    """Runs are found again by it. When this fails, say in the changelog that earlier runs cannot be resumed."""
    assert load_rules(season).rules_sha256 == "f3df121945ac15a0723fca8a1e99a8b7c8aa2f6c0adbb92294b8f20579e2a553"


def test_where_answers_are_kept_is_no_rule(season: Path) -> None:
    before = load_rules(season)
    after = load_rules(season, ["cassette.mode=replay", "cassette.path=some/where"])
    assert (before.cassette.mode, before.cassette.path) == ("auto", None)
    assert (after.cassette.mode, after.cassette.path) == ("replay", Path("some/where"))
    assert after.rules_sha256 == before.rules_sha256


@pytest.mark.parametrize(
    "override",
    [
        "season.deadline=60s",
        "season.thinking_ms=1500",
        "costs.impact=1.0",
        "costs.participation=0.1",
        "costs.latency_jitter_ms=50",
        "margin.mode=isolated",
        "budget.usd=5",
        "budget.tokens=1000",
        'desk.mixed.fallbacks=["e/five"]',
        "desk.mixed.hedge=true",
        "desk.mixed.context=true",
        "desk.mixed.budget_usd=1.5",
        "desk.mixed.budget_tokens=1000",
        'desk.mixed.models.risk=["c/three", "e/five"]',
    ],
)
def test_later_keys_count_when_they_are_used(season: Path, override: str) -> None:
    before, after = load_rules(season), load_rules(season, [override])
    assert after.rules_sha256 != before.rules_sha256


def test_later_keys_at_their_defaults_change_nothing(season: Path) -> None:
    defaults = ["season.thinking_ms=0", "desk.mixed.fallbacks=[]", "desk.mixed.hedge=false", "desk.0.context=false"]
    assert load_rules(season, defaults).rules_sha256 == load_rules(season).rules_sha256


def test_the_keys_of_the_gateway_are_read_as_written(season: Path) -> None:
    rules = load_rules(
        season,
        [
            "season.deadline=90s",
            'desk.mixed.models.risk=["c/three", "e/five", "c/three"]',
            'desk.mixed.panel={ combine = "unanimous" }',
            'desk.mixed.fallbacks=["f/six"]',
            "desk.mixed.budget_usd=0.05",
            "budget.usd=2.50",
            'budget.degrade={ models = { analyst = "g/seven" }, roles = ["analyst", "executor"] }',
        ],
    )
    mixed = rules.desks[1]
    assert rules.season.deadline_s == 90
    assert mixed.by_role()["risk"] == ("c/three", "e/five", "c/three")
    assert mixed.names_by_role()["risk"] == "c/three + e/five + c/three"
    assert mixed.every_model() == ("a/one", "b/two", "c/three", "e/five", "d/four", "f/six")
    assert (mixed.budget_usd, mixed.limited, rules.desks[0].limited) == (Decimal("0.05"), True, False)
    assert mixed.panel is not None
    assert mixed.panel.combine == "unanimous"
    assert rules.budget is not None
    assert (rules.budget.usd, rules.budget.warn_at, rules.budget.tokens) == (Decimal("2.50"), Decimal("0.8"), None)
    assert rules.budget.degrade is not None
    assert rules.budget.degrade.at == Decimal("0.9")
    assert rules.every_model()[-1] == "g/seven"


@pytest.mark.parametrize(
    ("text", "mode", "path"),
    [
        ("off", "off", None),
        ("auto", "auto", None),
        ("record:a.sqlite", "record", "a.sqlite"),
        ("replay:a:b", "replay", "a:b"),
    ],
)
def test_a_cassette_on_the_command_line(text: str, mode: str, path: str | None) -> None:
    rules = CassetteRules.parse(text)
    assert (rules.mode, rules.path) == (mode, path and Path(path))


@pytest.mark.parametrize("text", ["", "rewind", "replay:", ":a.sqlite", "Replay"])
def test_a_wrong_cassette_on_the_command_line_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--cassette"):
        CassetteRules.parse(text)


def test_rules_are_frozen(season: Path) -> None:
    rules = load_rules(season)
    with pytest.raises(ValidationError, match="frozen"):
        rules.season.seed = 8  # type: ignore[misc]


@given(
    start=st.integers(0, 10_000).map(lambda hours: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=hours)),
    length=st.integers(1, 5_000),
    every=st.sampled_from([1, 2, 3, 4, 6, 8, 12, 24]),
    offset=st.integers(-14, 14),
)
def test_rounds_never_reach_past_the_end(start: datetime, length: int, every: int, offset: int) -> None:
    zone = timezone(timedelta(hours=offset))
    table = tomllib.loads(GOOD)
    table["season"] |= {
        "start": start.replace(hour=0).astimezone(zone),
        "end": start.replace(hour=0) + timedelta(hours=every * length),
        "every": f"{every}h",
    }
    season = SeasonRules.model_validate(table).season
    assert season.rounds == length
    assert season.start_ms + (season.rounds - 1) * season.every_ms < season.end_ms
    assert season.start.tzinfo is UTC
