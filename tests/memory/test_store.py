"""The store, on Chroma and on its twin: what is written is found again, and what was cut off is mended."""

import sqlite3
from contextlib import closing

import numpy as np
import pytest

from memory.embedding import Embedding, embedding, hashed
from memory.nearest import nearest
from memory.store import MemoryStore, set_aside
from memory.vectors import ChromaVectors, MemoryVectors, server_address
from tests.memory.conftest import HOUR_MS, START_MS, make_episode
from trading.domain.errors import ConfigError, MemoryUnavailable


@pytest.fixture(params=["chroma", "twin"])
def open_vectors(request, tmp_path):
    twin = MemoryVectors()

    def open_(name):
        return ChromaVectors.in_folder(tmp_path / "vectors", name) if request.param == "chroma" else twin

    return open_


def test_both_indexes_find_the_same(open_vectors):
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((50, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = [f"e-{number}" for number in range(50)]
    with closing(open_vectors("both-indexes")) as index:
        assert index.query(vectors[0], 3) == []
        index.upsert(ids, vectors, ["a", "b"] * 25, list(range(50)))
        index.upsert(ids[:10], vectors[:10], ["a", "b"] * 5, list(range(10)))
        assert index.count() == 50
        exact = vectors @ vectors[7]
        assert [key for key, _ in index.query(vectors[7], 5)] == [ids[at] for at in np.argsort(-exact)[:5]]
        assert index.query(vectors[7], 1)[0][1] == pytest.approx(1.0, abs=1e-5)
        bounded = index.query(vectors[7], 50, desk="a", before_ms=20)
        assert {key for key, _ in bounded} == {ids[at] for at in range(0, 20, 2)}


def test_what_is_written_is_found_as_of_an_instant(tmp_path, open_vectors):
    words = ["funding squeeze", "quiet drift", "breakout of the range", "volume dries up"]
    episodes = [make_episode(10 * number, text=words[number % 4]) for number in range(40)]
    with closing(MemoryStore(tmp_path / "memory", embedding(), open_vectors=open_vectors)) as store:
        store.write(episodes, written_seq=400)
        store.write(episodes[:5], written_seq=401)
        assert (store.written_seq, store.counts()["episodes"], store.counts()["vectors"]) == (401, 40, 40)
        assert list(store.episodes()) == episodes
        hits = store.search("a quiet drift", as_of_ms=START_MS + 95 * HOUR_MS, count=2)
        assert [episode.text for episode, _ in hits] == ["quiet drift", "quiet drift"]
        early = store.search("a quiet drift", as_of_ms=START_MS + 15 * HOUR_MS, count=5)
        assert {episode.decision_id for episode, _ in early} == {"d-0", "d-10"}
        assert store.search("x", as_of_ms=START_MS, count=5) == []
        assert store.search("x", as_of_ms=START_MS + 10**12, desk="nobody") == []


def test_cut_off_between_rows_and_vectors_it_is_mended_when_it_opens(tmp_path):
    def fails(texts):
        raise MemoryUnavailable("killed here", short="killed")

    episodes = [make_episode(number) for number in range(30)]
    twin = MemoryVectors()
    broken = Embedding(name="hashing", embed=fails)
    with (
        closing(MemoryStore(tmp_path, broken, open_vectors=lambda _: twin)) as store,
        pytest.raises(MemoryUnavailable, match="killed here"),
    ):
        store.write(episodes, written_seq=30)
    assert twin.count() == 0
    with closing(MemoryStore(tmp_path, embedding(), open_vectors=lambda _: twin)) as store:
        assert store.counts()["vectors"] == 30
        assert store.heal() == 0
        assert list(store.episodes()) == episodes


def test_another_embedding_is_another_collection_and_the_first_one_stays(tmp_path):
    indexes = {}

    def open_vectors(name):
        return indexes.setdefault(name, MemoryVectors())

    with closing(MemoryStore(tmp_path, embedding(), open_vectors=open_vectors)) as store:
        store.write([make_episode(number) for number in range(7)], written_seq=7)
    other = embedding("litellm/some-model", lambda texts: np.ones((len(texts), 4), np.float32) / 2)
    with closing(MemoryStore(tmp_path, other, open_vectors=open_vectors)):
        assert [index.count() for index in indexes.values()] == [7, 7]


def test_a_second_opener_and_a_damaged_index_are_refused(tmp_path):
    with (
        closing(MemoryStore(tmp_path, embedding(), open_vectors=lambda _: MemoryVectors())),
        pytest.raises(MemoryUnavailable, match="another process") as refused,
    ):
        MemoryStore(tmp_path, embedding(), open_vectors=lambda _: MemoryVectors())
    assert refused.value.is_locked
    (tmp_path / "episodes.sqlite").write_bytes(b"rubbish" * 1000)
    with pytest.raises(MemoryUnavailable, match="memory rebuild"):
        MemoryStore(tmp_path, embedding(), open_vectors=lambda _: MemoryVectors())
    first = set_aside(tmp_path, "episodes.sqlite")
    (tmp_path / "episodes.sqlite").write_bytes(b"again")
    second = set_aside(tmp_path, "episodes.sqlite")
    assert first.exists()
    assert second.exists()
    assert first != second
    assert set_aside(tmp_path, "episodes.sqlite") is None


def test_addresses_of_a_server():
    assert server_address("http://127.0.0.1:9000") == ("127.0.0.1", 9000, False)
    assert server_address("https://chroma.example") == ("chroma.example", 443, True)
    for wrong in ("", "127.0.0.1:8000", "ftp://x", "http://", "http://x:port"):
        with pytest.raises(ConfigError, match="expected a URL"):
            server_address(wrong)
    with pytest.raises(MemoryUnavailable, match="Chroma cannot be used"):
        ChromaVectors.at_server("http://127.0.0.1:9", "nobody-there")


def test_embeddings():
    first, again = hashed(["rising over a day", "falling"]), hashed(["rising over a day"])
    assert np.array_equal(first[0], again[0])
    assert np.linalg.norm(first, axis=1) == pytest.approx(1.0)
    with pytest.raises(ConfigError, match="expected hashing"):
        embedding("telepathy")
    assert embedding("litellm/a", hashed).slug != embedding("litellm-a", hashed).slug


@pytest.mark.slow
def test_minilm_tells_meanings_apart():
    vectors = embedding("minilm").embed(
        ["the market crashed", "prices fell sharply", "bake the cake for an hour", "the market crashed"]
    )
    assert vectors.shape == (4, 384)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    likeness = vectors @ vectors[0]
    assert likeness[3] == pytest.approx(1.0, abs=1e-5)
    assert likeness[1] > 0.5 > 0.2 > likeness[2]


@pytest.mark.slow
def test_embedding_by_minilm_goes_on_where_it_was_interrupted(tmp_path):
    episodes = [make_episode(number, text=f"note {number} of a quiet day") for number in range(300)]
    with closing(MemoryStore(tmp_path, embedding())) as store:
        store.write(episodes, written_seq=300)
    told = []

    def interrupt(done, of):
        told.append((done, of))
        if done >= 2 * embedding("minilm").batch:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        MemoryStore(tmp_path, embedding("minilm"), progress=interrupt)
    assert told == [(128, 300), (256, 300)]
    again = []
    with closing(
        MemoryStore(tmp_path, embedding("minilm"), progress=lambda done, of: again.append((done, of)))
    ) as store:
        assert again == [(44, 44)]
        assert store.counts()["vectors"] == 300
        assert store.search("note 7 of a quiet day", as_of_ms=2**61, count=1)[0][0].decision_id == "d-7"
    with closing(MemoryStore(tmp_path, embedding())) as store:
        assert store.counts()["vectors"] == 300, "the first collection is still there"


def test_an_index_of_other_columns_is_refused_with_what_to_do(tmp_path):
    with closing(sqlite3.connect(tmp_path / "episodes.sqlite")) as db:
        db.execute("CREATE TABLE episodes (episode_id TEXT PRIMARY KEY, decided_ms INT, seq INT, instrument TEXT)")
    with pytest.raises(MemoryUnavailable, match=r"columns.*memory rebuild"):
        MemoryStore(tmp_path, embedding(), open_vectors=lambda _: MemoryVectors())


def test_the_nearest_without_a_store_are_those_of_a_store(tmp_path):
    words = ["funding squeeze", "quiet drift", "breakout of the range", "volume dries up"]
    episodes = [
        make_episode(number, text=f"{words[number % 4]} {number}", desk="ab"[number % 2]) for number in range(40)
    ]
    asked = {"as_of_ms": START_MS + 30 * HOUR_MS, "desk": "b", "count": 6}
    with closing(MemoryStore(tmp_path, embedding(), open_vectors=lambda _: MemoryVectors())) as store:
        store.write(episodes, written_seq=40)
        stored = store.search("a quiet drift", **asked)
    found = nearest(episodes, "a quiet drift", **asked)
    assert [one.episode_id for one, _ in found] == [one.episode_id for one, _ in stored]
    assert [cosine for _, cosine in found] == pytest.approx([cosine for _, cosine in stored], abs=1e-5)
    assert nearest(episodes, "a quiet drift", as_of_ms=START_MS) == []
