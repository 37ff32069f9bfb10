"""Passwords by argon2id, with the library's current parameters; older hashes are renewed at the next sign-in."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from opendata.core.errors import FieldError

MINIMUM = 10
MAXIMUM = 200
_hasher = PasswordHasher()


@cache
def _no_ones_hash() -> str:
    """A hash to compare with where there is none, so that both take as long. Made at the first need: it costs 0.1 s."""
    return _hasher.hash("no account has this password")


def check_password(path: str, password: str) -> list[FieldError]:
    """Errors of a new password: its length only (NIST SP 800-63B asks for no character classes)."""
    if MINIMUM <= len(password) <= MAXIMUM:
        return []
    return [FieldError(path, "bad_password", {"minimum": MINIMUM, "maximum": MAXIMUM})]


def hash_password(password: str) -> str:
    return _hasher.hash(password)


def matches(password: str, password_hash: str | None) -> bool:
    """Whether it is the password. Takes as long for an account without one, or for no account at all."""
    try:
        return (
            _hasher.verify(password_hash or _no_ones_hash(), password[:MAXIMUM]) and password_hash is not None
        )
    except (VerificationError, InvalidHashError):
        return False


def needs_renewal(password_hash: str) -> bool:
    return _hasher.check_needs_rehash(password_hash)
