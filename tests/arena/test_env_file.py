"""Keys from .env: what is taken, what is left alone."""

import os
from pathlib import Path

import pytest

from arena.env_file import load_env_file

EXAMPLE = Path(__file__).parents[2] / ".env.example"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"OPENAI_API_KEY": "from-outside", "XAI_API_KEY": ""})


def test_the_environment_counts_more_than_the_file(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("OPENAI_API_KEY=from-file\nXAI_API_KEY='x y'\n# remark\nGROQ_API_KEY=\n", "utf-8")
    assert load_env_file(path) == ("XAI_API_KEY",)
    assert os.environ["OPENAI_API_KEY"] == "from-outside"
    assert os.environ["XAI_API_KEY"] == "x y"
    assert "GROQ_API_KEY" not in os.environ


def test_no_file_adds_nothing(tmp_path: Path) -> None:
    assert load_env_file(tmp_path / "none") == ()
    assert load_env_file(tmp_path) == ()


def test_the_example_holds_names_and_no_keys() -> None:
    assert load_env_file(EXAMPLE) == ()
    names = [line.partition("=") for line in EXAMPLE.read_text("utf-8").splitlines() if line and line[0] != "#"]
    assert all(name.isupper() and not value for name, _, value in names)
