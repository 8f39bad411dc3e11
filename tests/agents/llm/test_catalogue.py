"""The catalogue that ships, and how a wrong one is refused."""

import json
from datetime import date

import pytest

from agents.llm.catalogue import Catalogue, catalogue
from agents.llm.runtime import litellm_module
from trading.domain.errors import ConfigError

HEAD = "[defaults]\nconcurrency = 2\nrequests_per_minute = 60\nconnect_s = 1\nread_s = 2\n"
ROW = """
[[models]]
id = "openai/some"
maker = "Somebody"
context_window = "unknown"
knowledge_cutoff = "2026-02"
abilities = ["tools"]
"""
SHIPPED = catalogue().models
DIRECT = [row for row in SHIPPED if row.provider != "openrouter" and not catalogue().provider(row.provider).is_local]


@pytest.mark.parametrize("row", SHIPPED, ids=lambda row: row.id)
def test_litellm_knows_every_row(row):
    litellm = litellm_module()
    assert row.provider in {getattr(name, "value", name) for name in litellm.provider_list}
    of_provider = {
        name for name, listed in litellm.model_cost.items()
        if listed.get("litellm_provider") == row.provider and listed.get("mode") == "chat"
    }  # fmt: skip
    if of_provider and not catalogue().provider(row.provider).is_local:
        assert {row.litellm_id, row.litellm_id.split("/", 1)[1]} & of_provider


@pytest.mark.parametrize("row", DIRECT, ids=lambda row: row.id)
def test_rows_agree_with_what_litellm_knows(row):
    listed = litellm_module().model_cost
    known = listed.get(row.litellm_id) or listed.get(row.litellm_id.split("/", 1)[1])
    if known is None:
        assert row.provider == "nvidia_nim", "only NVIDIA's are not on LiteLLM's list"
        return
    assert row.context_window == known["max_input_tokens"]
    assert ("tools" in row.abilities) == bool(known.get("supports_function_calling"))
    assert ("vision" in row.abilities) == bool(known.get("supports_vision"))
    assert ("reasoning" in row.abilities) == bool(known.get("supports_reasoning"))
    native = known.get("supports_native_structured_output") or row.provider != "anthropic"
    assert ("json_schema" in row.abilities) == bool(known.get("supports_response_schema") and native)


def test_every_maker_is_there_directly_through_openrouter_and_free_or_local():
    makers = {"Anthropic", "OpenAI", "Google", "xAI", "DeepSeek", "Alibaba", "Meta", "Mistral", "NVIDIA"}
    assert {row.maker for row in DIRECT} == makers
    assert {row.maker for row in SHIPPED if row.provider == "openrouter"} == makers
    local = {"ollama_chat", "hosted_vllm", "llamafile"}
    assert local <= {row.provider for row in SHIPPED}
    assert all(row.free == (row.id.endswith(":free") or row.provider in local) for row in SHIPPED)
    assert sum(row.id.endswith(":free") for row in SHIPPED) >= 5


def test_every_row_that_is_not_local_says_which_key_it_takes():
    for row in SHIPPED:
        provider = catalogue().provider(row.provider)
        assert bool(provider.keys) != provider.is_local, row.id


def test_a_price_is_the_rows_else_the_lists_else_unknown():
    known = Catalogue.parse(
        HEAD
        + ROW.replace("openai/some", "openai/gpt-5.4-mini")
        + ROW.replace("openai/some", "openai/not-on-any-list")
        + ROW.replace("openai/some", "openai/gpt-5.4-nano")
        + "price = { input = 1, output = 2, cache_read = 0.5 }\n"
        + ROW.replace("openai/some", "openrouter/x:free")
        + "free = true\n"
    )
    listed = known.price("openai/gpt-5.4-mini")
    assert (listed.input_usd, listed.output_usd) == (0.75e-6, 4.5e-6)
    assert known.price("openai/not-on-any-list") is None
    stated = known.price("openai/gpt-5.4-nano")
    assert stated.usd(tokens_in=100, tokens_out=10, cache_read=60) == pytest.approx((40 * 1 + 60 * 0.5 + 10 * 2) / 1e6)
    assert known.price("openrouter/x:free").usd(tokens_in=100, tokens_out=10) == 0.0
    assert known.stated_price("openai/gpt-5.4-mini") is None
    assert catalogue().price("openrouter/openai/gpt-5.5") is None, "a reseller's price is its own"


def test_models_without_a_row_are_what_litellm_knows_of_them():
    known = catalogue()
    assert known.row("mistral/codestral-latest") is None
    assert known.provider_of("mistral/codestral-latest") == "mistral"
    assert known.abilities("mistral/codestral-latest") == {"tools", "json_schema"}
    assert known.abilities("openrouter/nobody/has-heard-of-it") == {"tools"}
    assert known.provider_of("nobody/model") is None
    assert known.provider_of("house/momentum") == "house"
    assert known.pace("cohere/command-r").concurrency == known.pace("nobody/model").concurrency


def test_a_month_stands_for_its_last_day_and_unknown_for_nothing():
    assert Catalogue.parse(HEAD + ROW).models[0].knowledge_cutoff == date(2026, 2, 28)
    assert Catalogue.parse(HEAD + ROW.replace("2026-02", "2026-02-03")).models[0].knowledge_cutoff == date(2026, 2, 3)
    row = Catalogue.parse(HEAD + ROW.replace("2026-02", "unknown")).models[0]
    assert (row.knowledge_cutoff, row.context_window) == (None, None)


def test_pace_is_the_providers_and_the_free_tier_has_its_own_lane():
    provider = "[providers.openrouter]\nconcurrency = 9\nfree_requests_per_minute = 20\n"
    free = ROW.replace("openai/some", "openrouter/a:free") + "free = true\n"
    known = Catalogue.parse(HEAD + provider + free + ROW.replace("openai/some", "openrouter/b"))
    assert known.lane("openrouter/a:free") == "openrouter:free"
    assert known.lane("openrouter/b") == "openrouter"
    assert (known.pace("openrouter/a:free").concurrency, known.pace("openrouter/a:free").requests_per_minute) == (9, 20)
    assert (known.pace("openrouter/b").concurrency, known.pace("openrouter/b").requests_per_minute) == (9, 60)


def test_an_address_is_taken_from_the_environment(monkeypatch):
    monkeypatch.delenv("HOSTED_VLLM_API_BASE", raising=False)
    provider = catalogue().provider("hosted_vllm")
    assert provider.address == "http://127.0.0.1:8000/v1"
    monkeypatch.setenv("HOSTED_VLLM_API_BASE", "http://box:9000/v1")
    assert provider.address == "http://box:9000/v1"
    assert catalogue().provider("anthropic").address is None


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "defaults"),
        (HEAD + "typo = 1", "defaults.typo"),
        (HEAD + ROW + "pirce = 1", "models.0.pirce"),
        (HEAD + ROW.replace("2026-02", "2026-13"), "models.0.knowledge_cutoff"),
        (HEAD + ROW.replace("2026-02", "soon"), "models.0.knowledge_cutoff"),
        (HEAD + ROW.replace('"unknown"', "0", 1), "models.0.context_window"),
        (HEAD + ROW.replace('["tools"]', '["telepathy"]'), "models.0.abilities"),
        (HEAD + ROW + "price = { input = -1, output = 1 }", "models.0.price.input"),
        (HEAD + "[providers.x]\nconcurrency = 0", "providers.x.concurrency"),
        (HEAD + ROW + ROW, "two rows"),
        ("[[[", "not TOML"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line_that_says_where(text, where):
    with pytest.raises(ConfigError) as caught:
        Catalogue.parse(text)
    assert where in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_in_the_file_looks_like_a_key():
    assert "sk-" not in json.dumps([row.model_dump(mode="json") for row in SHIPPED])
