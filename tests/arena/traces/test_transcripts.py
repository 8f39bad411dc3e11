"""Words of models: kept in memory for a while, read from a cassette afterwards."""

import asyncio
from pathlib import Path

import pytest

from agents.llm import CassetteStore, Completion, CompletionRequest
from arena.traces.transcripts import MOST_CHARS, Transcripts, on_cassette
from trading.domain.errors import ModelFailure


def request(seed: int, text: str = "decide") -> CompletionRequest:
    return CompletionRequest(
        model="openai/gpt-5",
        messages=[{"role": "system", "content": "rules"}, {"role": "user", "content": text}],
        tools=[],
        tool_choice="none",
        response_format={},
        seed=seed,
        timeout_s=1.0,
        prompt_sha256="p",
        tools_sha256="t",
    )


def answer(text: str) -> Completion:
    return Completion(
        content=text, tool_requests=(), finish_reason="stop", refusal=None, model_answered="m", tokens_in=1,
        tokens_out=1, usd=None,
    )  # fmt: skip


async def road(asked: CompletionRequest) -> Completion:
    if asked.seed == 13:
        raise ModelFailure("the model timed out", reason="timeout")
    return answer(f"answer {asked.seed}")


def test_a_call_is_heard_and_the_oldest_is_forgotten() -> None:
    kept = Transcripts(most=3)
    heard = kept.listen(road)
    for seed in range(5):
        assert asyncio.run(heard(request(seed))).content == f"answer {seed}"
    assert kept.find(request(0).cassette_key) is None
    found = kept.find(request(4).cassette_key)
    assert found is not None
    assert [(one.role, one.text) for one in found.messages] == [("system", "rules"), ("user", "decide")]
    assert (found.answer, found.failure) == ("answer 4", None)


def test_a_failure_is_heard_and_still_raised() -> None:
    kept = Transcripts()
    with pytest.raises(ModelFailure):
        asyncio.run(kept.listen(road)(request(13)))
    found = kept.find(request(13).cassette_key)
    assert found is not None
    assert (found.answer, found.failure) == ("", "the model timed out")


def test_messages_that_grow_later_stay_as_they_were_sent() -> None:
    kept, messages = Transcripts(), [{"role": "user", "content": "one"}]
    asked = request(1)
    object.__setattr__(asked, "messages", messages)
    asyncio.run(kept.listen(road)(asked))
    messages.append({"role": "user", "content": "two"})
    found = kept.find(asked.cassette_key)
    assert found is not None
    assert len(found.messages) == 1


def test_a_cassette_gives_the_words_of_its_calls(tmp_path: Path) -> None:
    path = tmp_path / "cassette.sqlite"
    assert on_cassette(path, ["k"]) == ({}, None)
    asked = request(1, "x" * (MOST_CHARS + 10))
    with CassetteStore(path, writable=True) as store:
        store.keep(asked.cassette_key, asked, answer("kept"))
        assert "cassette" in (on_cassette(path, [asked.cassette_key])[1] or ""), "one that is written to is locked"
    found, trouble = on_cassette(path, [asked.cassette_key, "missing"])
    assert trouble is None
    assert found.keys() == {asked.cassette_key}
    assert found[asked.cassette_key].answer == "kept"
    assert len(found[asked.cassette_key].messages[1].text) == MOST_CHARS


def test_what_is_no_cassette_is_told(tmp_path: Path) -> None:
    path = tmp_path / "cassette.sqlite"
    path.write_bytes(b"rubbish" * 1_000)
    found, trouble = on_cassette(path, ["k"])
    assert found == {}
    assert trouble is not None
    assert "\n" not in trouble
