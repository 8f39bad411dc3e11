"""Prompts of a home folder: published once, never changed, found beside the shipped ones, pointed to by aliases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from prompts import load_prompt, resolve, use_prompts
from prompts.library import add_version, diff, list_prompts, point_alias, text_of
from trading.domain.errors import ConfigError


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    use_prompts(tmp_path / "prompts")
    yield tmp_path / "prompts"
    use_prompts(None)


def changed(words: str = "Prefer to wait.") -> str:
    return text_of("executor/production").replace("\n=== user ===", f"\n{words}\n\n=== user ===")


def test_a_version_is_published_with_author_and_message(home: Path) -> None:
    first = add_version("executor/patient", changed(), author="Ada", message='wait "longer"')
    second = add_version("executor/patient", changed("Wait."), author="Ada", message="shorter")
    assert (first.reference, second.reference) == ("executor/patient.v1", "executor/patient.v2")
    loaded = load_prompt("executor/patient.v1")
    assert (loaded.author, loaded.message, loaded.sha256) == ("Ada", 'wait "longer"', first.sha256)
    assert loaded.slots == load_prompt("executor/production").slots
    assert "+Prefer to wait." in diff("executor/production", "executor/patient.v1").splitlines()
    assert diff("executor/default", "executor/production") == ""
    mine = [one for one in list_prompts() if not one.shipped]
    assert [(one.reference, one.author) for one in mine] == [
        ("executor/patient.v1", "Ada"),
        ("executor/patient.v2", "Ada"),
    ]


def test_a_changed_published_file_is_refused_and_listed_with_its_problem(home: Path) -> None:
    add_version("executor/patient", changed(), author="Ada", message="wait")
    path = home / "executor" / "patient.v1.md"
    path.write_text(path.read_text("utf-8").replace("Prefer", "Never"), "utf-8")
    with pytest.raises(ConfigError, match="new version"):
        load_prompt("executor/patient.v1")
    assert next(one for one in list_prompts() if one.reference == "executor/patient.v1").problem


def test_a_file_laid_down_by_hand_is_published_by_its_first_use(home: Path) -> None:
    path = home / "executor" / "mine.v1.md"
    path.parent.mkdir(parents=True)
    path.write_text(changed().replace("version = 3", "version = 1"), "utf-8")
    digest = load_prompt("executor/mine.v1").sha256
    assert digest in (home / "versions.toml").read_text("utf-8")
    path.write_text(path.read_text("utf-8") + "more\n", "utf-8")
    with pytest.raises(ConfigError, match="new version"):
        load_prompt("executor/mine.v1")


def test_an_alias_of_the_home_folder_counts_over_the_shipped_one(home: Path) -> None:
    add_version("executor/patient", changed(), author="Ada", message="wait")
    assert point_alias("executor/candidate", "executor/patient.v1") is None
    assert point_alias("executor/production", "executor/candidate") == "executor/default.v3"
    assert resolve("executor/production") == "executor/patient.v1"
    use_prompts(None)
    assert resolve("executor/production") == "executor/default.v3"
    with pytest.raises(ConfigError, match="expected one of"):
        resolve("executor/candidate")


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: add_version("executor/default", changed(), author="a", message="m"), "came with the project"),
        (lambda: add_version("../escape", changed(), author="a", message="m"), "expected role/name"),
        (lambda: add_version("executor/x", "no head", author="a", message="m"), "expected a .* head"),
        (lambda: add_version("analyst/x", changed(), author="a", message="m"), "head says"),
        (
            lambda: add_version("executor/x", changed("{{facts}}"), author="a", message="m"),
            "so that it can be cached",
        ),
        (lambda: add_version("executor/x", "+++\n= =\n+++\nx", author="a", message="m"), "not understood"),
        (lambda: point_alias("analyst/candidate", "executor/default.v1"), "expected executor/"),
        (lambda: point_alias("executor/candidate", "executor/nothing.v1"), "no file"),
        (lambda: point_alias("executor/CANDIDATE!", "executor/default.v1"), "expected executor/"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_written(home: Path, call, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        call()
    assert not list(home.glob("**/*"))


def test_a_shipped_name_is_not_taken_over(home: Path) -> None:
    path = home / "executor" / "default.v3.md"
    path.parent.mkdir(parents=True)
    path.write_text(changed(), "utf-8")
    with pytest.raises(ConfigError, match="name of a shipped prompt"):
        load_prompt("executor/production")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"not toml at all", b'"executor/x" = 3'])
def test_damaged_tables_are_refused_in_one_line(home: Path, content: bytes) -> None:
    home.mkdir()
    (home / "aliases.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=r"aliases\.toml"):
        resolve("executor/production")


def test_without_a_home_folder_nothing_can_be_added() -> None:
    use_prompts(None)
    with pytest.raises(ConfigError, match="--home"):
        add_version("executor/x", changed(), author="a", message="m")
