"""Settings: which source wins, what is refused, and what a person is shown."""

from pathlib import Path

import pytest

import arena.settings
from arena.settings import Settings
from trading.domain.errors import ConfigError


@pytest.fixture(autouse=True)
def config_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HOME", "DATA", "HOST", "PORT", "LOG_LEVEL", "DATABASE_URL"):
        monkeypatch.delenv(f"TRADEFLOOR_{name}", raising=False)
    path = tmp_path / "arena.toml"
    monkeypatch.setattr(arena.settings, "FILE", path)
    return path


def source_of(settings: Settings, key: str) -> str:
    return next(setting.source for setting in settings.effective() if setting.key == key)


def test_defaults_need_no_file() -> None:
    settings = Settings.load()
    assert (settings.home, settings.host, settings.port) == (Path(".tradefloor"), "127.0.0.1", 7860)
    assert settings.data_root is None
    assert {setting.source for setting in settings.effective()} == {"default"}


def test_the_strongest_source_wins_and_is_named(config_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config_file.write_text('port = 1\nhost = "0.0.0.0"\nlog_level = "info"\ndata_root = "/file"', "utf-8")
    monkeypatch.setenv("TRADEFLOOR_PORT", "2")
    monkeypatch.setenv("TRADEFLOOR_DATA", "/environment")
    monkeypatch.setenv("TRADEFLOOR_LOG_LEVEL", "error")
    settings = Settings.load({"log_level": "debug", "port": None})
    assert (settings.host, settings.port, settings.log_level) == ("0.0.0.0", 2, "debug")
    assert settings.data_root == Path("/environment")
    assert source_of(settings, "host") == str(config_file)
    assert source_of(settings, "port") == "TRADEFLOOR_PORT"
    assert source_of(settings, "data_root") == "TRADEFLOOR_DATA"
    assert source_of(settings, "log_level") == "command line"
    assert source_of(settings, "home") == "default"


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEFLOOR_PORT", "")
    assert source_of(Settings.load(), "port") == "default"


def test_a_secret_is_shown_as_set_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEFLOOR_DATABASE_URL", "postgresql://floor:hunter2@db/floor")
    settings = Settings.load()
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value().endswith("@db/floor")
    assert "hunter2" not in repr(settings) + repr(settings.effective())


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("PORT", "http", "TRADEFLOOR_PORT: port: found 'http', expected a whole number"),
        ("PORT", "70000", "expected less than or equal to 65535"),
        ("LOG_LEVEL", "loud", "TRADEFLOOR_LOG_LEVEL: log_level: found 'loud', expected 'debug', 'info'"),
    ],
)
def test_a_wrong_variable_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(f"TRADEFLOOR_{variable}", value)
    with pytest.raises(ConfigError, match=r"^[^\n]+$") as caught:
        Settings.load()
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("prot = 1", "prot: unknown key; did you mean port?"),
        ("port = 0", "port: found 0"),
        ("port = ", "not TOML"),
        ("[server]\nport = 1", "server: unknown key"),
    ],
)
def test_a_wrong_file_is_refused_by_name(config_file: Path, content: str, said: str) -> None:
    config_file.write_text(content, "utf-8")
    with pytest.raises(ConfigError) as caught:
        Settings.load()
    assert str(caught.value).startswith(f"{config_file}: {said}")


def test_the_file_that_ships_shows_the_defaults(config_file: Path) -> None:
    shipped = (arena.settings.CONFIG / "arena.toml").read_text("utf-8")
    shown = [line.removeprefix("# ") for line in shipped.splitlines() if line.startswith("# ") and " = " in line]
    config_file.write_text("\n".join(shown), "utf-8")
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    assert Settings.load().model_dump() == defaults | {"data_root": Path("/data")}
    assert len(shown) == 9
