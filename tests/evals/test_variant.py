from pathlib import Path

import pytest

from evals.variant import Variant, read_variants
from trading.domain.errors import ConfigError


def test_the_digest_is_of_what_answers_and_not_of_the_name() -> None:
    one, other = read_variants(["house/momentum", "b=house/momentum"])
    assert one.sha256 == other.sha256
    assert other.name == "b"
    assert read_variants(["house/random"])[0].sha256 != one.sha256
    assert Variant(name="a", model="house/momentum", seed=1).sha256 != one.sha256
    older = read_variants(["old=house/momentum,executor:executor/default.v1"])[0]
    assert older.sha256 != one.sha256


def test_variants_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "desks.toml"
    path.write_text(
        '[[variant]]\nname = "a"\nmodel = "house/momentum"\n'
        '[[variant]]\nname = "b"\nroles = ["forecaster", "executor"]\n'
        'models = { analyst = "house/momentum", forecaster = "house/forecaster", risk = "house/momentum", '
        'executor = ["house/momentum", "house/breakout", "house/meanrev"] }\n'
    )
    found = read_variants([str(path)])
    assert [one.name for one in found] == ["a", "b"]
    assert found[1].every_model() == ("house/momentum", "house/forecaster", "house/breakout", "house/meanrev")
    assert all(one.is_rule_based for one in found)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("=house/momentum", "expected MODEL"),
        ("a=", "expected MODEL"),
        ("a=house/momentum,executor", "expected MODEL"),
        ("a=house/momentum,boss:executor/default.v1", "roles are"),
        ("a=house/momentum,executor:executor/nothing.v1", "no file"),
        ("a=house/momentum,executor:analyst/default.v1", "executor"),
        ("nowhere.toml", "cannot be read"),
    ],
)
def test_a_variant_that_makes_no_sense(text: str, match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        read_variants([text])


def test_two_variants_of_one_name() -> None:
    with pytest.raises(ConfigError, match="twice"):
        read_variants(["house/momentum", "house/momentum"])


@pytest.mark.parametrize(
    "text", ["", "[[variant]]\nname = 3", "[season]\nname = 'x'", "\x00", "[[variant]]\nname = 'a'"]
)
def test_a_file_of_rubbish(tmp_path: Path, text: str) -> None:
    path = tmp_path / "desks.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="variants"):
        read_variants([str(path)])
