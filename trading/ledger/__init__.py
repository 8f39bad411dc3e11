"""Who owns what: double-entry accounts that are a fold over the journal, marks, and the audit that re-derives them."""

from trading.ledger.account import DeskAccount
from trading.ledger.audit import AuditReport, audit_journal
from trading.ledger.book import Book, Posting
from trading.ledger.ledger import Ledger
from trading.ledger.marking import Mark, mark_account

__all__ = ["AuditReport", "Book", "DeskAccount", "Ledger", "Mark", "Posting", "audit_journal", "mark_account"]
