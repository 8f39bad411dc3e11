"""A paper season whose market has books: orders walk them, the record says so, and a new process goes on from it."""

import asyncio

import pytest
from fastapi.testclient import TestClient

from arena.api.app import create_api
from arena.seasons.live import LiveFloor
from arena.services import Services
from tests.arena.autonomous.followed import MINUTE_MS, Follower, ToldBooks, rules_of
from tests.arena.houses import HERE, PROGRAM
from trading.domain import EventKind
from trading.execution.book_audit import audit_book_fills
from trading.ledger.audit import audit_journal
from trading.risk import KillSwitch

BTC = "BTC-USDT-PERP"


def follower(home, *, rounds=16, **books):
    found = Follower(rules_of(rounds=rounds, desks=("momentum", "random")), home)
    found.books = ToldBooks(found.simulated.tape, **books)
    return found


def fills(events):
    return [event.payload for event in events if event.kind is EventKind.FILLED]


@pytest.fixture(scope="module")
def season(tmp_path_factory):
    """A season that was played to its end."""
    found = follower(tmp_path_factory.mktemp("home"))
    assert asyncio.run(found.play()) == "finished"
    return found


def test_orders_walk_the_books_and_the_audit_walks_them_again(season):
    found = fills(season.events())
    assert {fill["basis"] for fill in found} == {"book"}
    assert any("left" in fill for fill in found), "some order took more than one level"
    audit = audit_book_fills(season.folder.journal)
    assert (audit.fills, audit.problem) == (len(found), None)
    assert audit_journal(season.folder.journal).problem is None


@pytest.mark.parametrize("stop_after", [0, 5, 11])
def test_a_new_process_ends_where_one_alone_would(season, tmp_path, stop_after):
    broken = follower(tmp_path)

    def on_round(index):
        if index == stop_after:
            broken.run.stop()

    assert asyncio.run(broken.play(on_round)) == "interrupted"
    assert asyncio.run(broken.play()) == "finished"
    assert fills(broken.events()) == fills(season.events())


def test_what_was_not_heard_fills_on_bars_and_says_so(tmp_path):
    deaf = follower(tmp_path, deaf=lambda open_ms: open_ms // MINUTE_MS % 2)
    assert asyncio.run(deaf.play()) == "finished"
    found = fills(deaf.events())
    assert {fill["basis"] for fill in found} == {"book", "bars"}
    for fill in found:
        assert (fill["basis"] == "bars") == bool(fill["ts_ms"] // MINUTE_MS % 2)
    assert audit_book_fills(deaf.folder.journal).problem is None


def test_the_book_that_was_seen_last_is_told_over_http(season):
    home = season.settings.home
    services = Services(floor=LiveFloor(KillSwitch(home)), settings=season.settings)
    client = TestClient(create_api(services), base_url=HERE, headers=PROGRAM)
    answer = client.get(f"/api/v1/books/{BTC}", params={"levels": 3})
    assert answer.status_code == 200, answer.text
    book = answer.json()
    assert (book["instrument"], book["source"], len(book["bids"]), len(book["asks"])) == (BTC, "paper", 3, 3)
    assert book["seen_at"] < book["as_of"]
    assert (book["spread"], [level["total"] for level in book["asks"]]) == ("0.2", ["0.01", "0.02", "0.03"])
    assert float(book["bids"][0]["price"]) < float(book["mid"]) < float(book["asks"][0]["price"])
    assert (book["imbalance"], book["imbalance_5"]) == (0.0, 0.0)
    told = client.get("/api/v1/fills", params={"limit": 500}).json()["items"]
    assert {fill["basis"] for fill in told} == {"book"}
    for path in ("/books/DOGE-USDT", f"/books/{BTC}?levels=0", f"/books/{BTC}?levels=21", "/books/%3Cimg%3E"):
        refused = client.get(f"/api/v1{path}")
        assert refused.status_code in (404, 422)
        assert refused.headers["content-type"] == "application/problem+json"
