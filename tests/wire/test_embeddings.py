"""Embeddings through LiteLLM's real provider code from an OpenAI-shaped server: order, batches, failures."""

import hashlib
import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from agents.llm.embedding import BATCH
from tests.wire.loopback import HOST, HttpRequest, Line, Loopback

SIZE = 8
SPOILT = ("shorter", "ragged", "zeros", "rubbish", "refused")

# A process of its own: LiteLLM keeps connections and a loop that nothing closes before the process ends.
ASK = """
import json, sys
from agents.llm.embedding import embed
from trading.domain.errors import MemoryUnavailable
for texts in json.loads(sys.stdin.read()):
    try:
        print(json.dumps(embed("openai/text-embedding-3-small", texts).tolist()))
    except MemoryUnavailable as error:
        print(json.dumps([error.short, str(error)]))
"""


def vector_of(text: str) -> list[float]:
    """Some vector that follows from the text."""
    return [1.0 + part for part in hashlib.sha256(text.encode()).digest()[:SIZE]]


async def serve(request: HttpRequest, line: Line) -> None:
    """Answer ``/v1/embeddings``; the first text may ask for an answer that is none."""
    texts = request.json()["input"]
    assert len(texts) <= BATCH
    rows: list[dict[str, Any]] = [
        {"object": "embedding", "index": place, "embedding": vector_of(text)} for place, text in enumerate(texts)
    ]
    status = 401 if texts[0] == "refused" or request.headers["authorization"] != "Bearer sk-loopback" else 200
    match texts[0]:
        case "shorter":
            rows = rows[1:]
        case "ragged":
            rows[0]["embedding"] = [1.0]
        case "zeros":
            rows[0]["embedding"] = [0.0] * SIZE
    # The index says which is which, not the place.
    body: dict[str, Any] = {"object": "list", "data": rows[::-1], "model": "x", "usage": {"prompt_tokens": 1}}
    if texts[0] == "rubbish":
        body = {"rubbish": 1}
    if status != 200:
        body = {"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": None}}
    await line.send(status, {"content-type": "application/json"}, json.dumps(body).encode())


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_vectors_stand_in_the_order_of_the_texts_and_what_is_none_is_refused() -> None:
    texts = [f"note {number}" for number in range(BATCH + 3)]
    jobs = [texts, *([word, "two", "three"] for word in SPOILT)]
    with Loopback() as loopback:
        address = f"http://{HOST}:{loopback.add(serve)}/v1"
        told = {"OPENAI_BASE_URL": address, "OPENAI_API_BASE": address, "OPENAI_API_KEY": "sk-loopback"}
        done = subprocess.run(
            [sys.executable, "-c", ASK],
            input=json.dumps(jobs),
            env={**os.environ, **told, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"},
            capture_output=True,
            text=True,
            check=True,
            timeout=110,
        )
    found, *failed = [json.loads(row) for row in done.stdout.splitlines() if row.startswith("[")]
    wanted = np.array([vector_of(text) for text in texts], dtype=np.float32)
    assert np.array(found) == pytest.approx(wanted / np.linalg.norm(wanted, axis=1, keepdims=True), abs=1e-6)
    assert len(failed) == len(SPOILT)
    for short, words in failed:
        assert short == "its embedding model cannot be asked"
        assert "use 'hashing'" in words
        assert "sk-loopback" not in words
