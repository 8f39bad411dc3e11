"""Passwords as argon2id hashes, checked with the same work whether the name is known or not."""

import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from trading.domain.errors import RequestError

MIN_LENGTH = 12
MAX_LENGTH = 256

_AT_ONCE = threading.BoundedSemaphore(2)
"""Each check takes 64 MiB: strangers who try many at once wait for each other."""

_HASHER = PasswordHasher()


def hash_password(password: str) -> str:
    """The hash to keep of ``password``. Raises RequestError where it is too short or too long."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise RequestError(
            f"the password has {len(password)} characters: {MIN_LENGTH} to {MAX_LENGTH} are needed; a few words will do"
        )
    return _HASHER.hash(password)


def is_password(kept: str | None, password: str) -> bool:
    """Whether ``password`` is the one whose hash is ``kept``. None takes as long and is never right."""
    if len(password) > MAX_LENGTH:
        password, kept = "", None
    with _AT_ONCE:
        try:
            _HASHER.verify(kept or _nobody(), password)
        except (VerificationError, InvalidHashError):
            return False
    return kept is not None


@cache
def _nobody() -> str:
    return _HASHER.hash("a password that opens nothing")
