"""Unknown models and missing keys are found before anything runs."""

import subprocess
import sys

import pytest

from agents.llm import check_model, is_rule_based, required_keys
from agents.llm.house import house_models
from trading.domain.errors import ConfigError

HOUSE = {"buyhold", "equalweight", "momentum", "meanrev", "breakout", "voltarget", "forecaster", "random", "recall"}


@pytest.fixture(autouse=True)
def no_keys(monkeypatch):
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY", "COHERE_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_the_house_has_its_nine():
    assert set(house_models()) == {f"house/{name}" for name in HOUSE}
    for model in house_models():
        check_model(model)
        assert is_rule_based(model)


@pytest.mark.parametrize("model", ["house/oracle", "house/", "gpt-99", "nobody/model", "", "momentum"])
def test_unknown_models_are_refused(model):
    with pytest.raises(ConfigError, match="house/momentum"):
        check_model(model)


@pytest.mark.parametrize(
    ("model", "key"),
    [
        ("openai/gpt-5", "OPENAI_API_KEY"),
        ("gpt-4o", "OPENAI_API_KEY"),
        ("anthropic/claude-sonnet-4-5", "ANTHROPIC_API_KEY"),
        ("gemini/gemini-2.5-pro", "GEMINI_API_KEY"),
        ("openrouter/deepseek/deepseek-r1", "OPENROUTER_API_KEY"),
        ("cohere/command-r", "COHERE_API_KEY"),
    ],
)
def test_missing_key_is_named_and_setting_it_helps(model, key, monkeypatch):
    monkeypatch.delenv(key, raising=False)
    assert required_keys(model) == (key,)
    with pytest.raises(ConfigError, match=key):
        check_model(model)
    monkeypatch.setenv(key, "something")
    check_model(model)


def test_empty_key_counts_as_missing_and_any_alternative_will_do(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "")
    assert required_keys("openai/gpt-5") == ("OPENAI_API_KEY",)
    monkeypatch.setenv("GOOGLE_API_KEY", "something")
    assert required_keys("gemini/gemini-2.5-pro") == ()


def test_local_models_need_no_key():
    assert required_keys("ollama_chat/llama3") == ()


def test_importing_agents_and_checking_house_models_does_not_import_litellm():
    program = (
        "import sys, agents.llm, agents.turn, agents.roles\n"
        "agents.llm.check_model('house/momentum')\n"
        "heavy = {'litellm', 'openai', 'langgraph', 'pandas', 'talib'} & sys.modules.keys()\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
