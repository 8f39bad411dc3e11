"""The audit of an honest run, and of a run whose marks do not follow from its events."""

from tests.trading.markets import PERP, USUAL, engine_on, flat, play, random_tape, tape_of
from trading.domain import Event, EventKind
from trading.ledger import audit_journal
from trading.storage.journal import Journal


def test_an_honest_run_audits_clean_while_it_runs_and_when_it_is_done(tmp_path):
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    engine = engine_on(random_tape(5, bars=40, volatility=0.04), desks=("a", "b"), costs=USUAL, journal=journal)
    play(engine, seed=5, rounds=20)
    running = audit_journal(path)
    assert (running.problem, running.events, running.head) == (None, journal.events, journal.head)
    assert running.marks == 2 * 20
    play(engine, seed=5)
    journal.seal()
    journal.close()
    done = audit_journal(path)
    assert (done.problem, done.events, done.head) == (None, journal.events, journal.head)
    assert done.ledger.accounts == engine.ledger.accounts


def test_a_mark_that_does_not_follow_from_the_events_is_named_with_both_numbers(tmp_path):
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    engine = engine_on(tape_of({PERP: flat(100, 4)}), journal=journal)
    engine.open_season()
    lie = dict.fromkeys(("equity", "cash", "spot_value", "unrealised", "gross", "net"), "0")
    lie |= {"equity": "10000.00000001", "cash": "10000"}
    engine.record(Event(ts_ms=0, kind=EventKind.MARKED, payload={"round": 0, "desks": {"alpha": lie}}))
    journal.commit()
    journal.close()
    problem = audit_journal(path).problem
    assert problem.startswith("event 3 (marked): equity of desk alpha")
    assert "10000.00000001" in problem


def test_an_empty_journal_has_nothing_wrong_with_it(tmp_path):
    Journal(tmp_path / "journal.sqlite").close()
    report = audit_journal(tmp_path / "journal.sqlite")
    assert (report.problem, report.events) == (None, 0)


def test_what_contradicts_the_season_is_named_by_its_event(tmp_path):
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    engine_on(tape_of({PERP: flat(100, 4)}), journal=journal).open_season()
    journal.append(Event(ts_ms=0, kind=EventKind.DEPOSITED, payload={"desk": "nobody", "amount": "1"}))
    journal.commit()
    journal.close()
    assert audit_journal(path).problem.startswith("event 3 (deposited): ")
