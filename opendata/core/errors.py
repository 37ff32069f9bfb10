"""The ten kinds of error that a caller can cause or meet.

DomainError
├── NotFound          404  no such thing, or not visible to you (the two look alike)
├── Gone              410  was public once and has been withdrawn
├── Unauthenticated   401  no valid credentials
├── Forbidden         403  credentials are valid, the right is missing
├── Conflict          409  the state of the thing forbids it
├── Stale             412  the caller's copy is older than ours
├── Invalid           422  the input is wrong; `fields` names every wrong place at once
│   └── BadQuery      400  the same for a query string
├── TooLarge          413  over a limit of bytes, rows, depth
├── Limited           429  too many requests; `retry_after` seconds
└── Unavailable       503  a part of the service is down; `retry_after` seconds
    └── NoSpace       507  storage is full

An error carries a stable `code` and parameters; the sentence a person reads is made from them at the edge,
in that person's language (`edge/messages`). HTTP statuses are named here for the reader only: each face maps the kinds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class FieldError:
    """One wrong place in the input.

    `path` is the place as the caller wrote it (`resources.0.url`), `code` is stable and has a sentence in every
    language, `params` fill that sentence.
    """

    path: str
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


class DomainError(Exception):
    """Base of all errors with a meaning for the caller."""

    default_code = "error"

    def __init__(self, code: str | None = None, *, fields: Iterable[FieldError] = (), **params: Any) -> None:
        self.code = code or self.default_code
        self.fields = tuple(fields)
        self.params = params
        super().__init__(self.code, *(f"{f.path}: {f.code}" for f in self.fields))


class NotFound(DomainError):
    default_code = "not_found"


class Gone(DomainError):
    default_code = "gone"


class Unauthenticated(DomainError):
    default_code = "unauthenticated"


class Forbidden(DomainError):
    default_code = "forbidden"


class Conflict(DomainError):
    default_code = "conflict"


class Stale(DomainError):
    default_code = "stale"


class Invalid(DomainError):
    default_code = "invalid"


class BadQuery(Invalid):
    default_code = "bad_query"


class TooLarge(DomainError):
    default_code = "too_large"


class Limited(DomainError):
    default_code = "limited"

    def __init__(self, code: str | None = None, *, retry_after: int = 60, **params: Any) -> None:
        super().__init__(code, **params)
        self.retry_after = retry_after


class Unavailable(DomainError):
    default_code = "unavailable"

    def __init__(self, code: str | None = None, *, retry_after: int = 10, **params: Any) -> None:
        super().__init__(code, **params)
        self.retry_after = retry_after


class NoSpace(Unavailable):
    default_code = "no_space"


class Gathered:
    """Wrong places of one input, found by several checks. `with` it around each check: an `Invalid` of that check ends the
    block and is kept. `raise_if_any` at the end says them all at once."""

    def __init__(self, fields: Iterable[FieldError] = (), kind: type[Invalid] = Invalid) -> None:
        self.fields = list(fields)
        self.kind = kind

    def add(self, fields: Iterable[FieldError]) -> None:
        self.fields += [field for field in fields if field not in self.fields]

    def raise_if_any(self) -> None:
        if self.fields:
            raise self.kind(fields=self.fields)

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if not (isinstance(error, Invalid) and error.fields):
            return False
        self.add(error.fields)
        return True


def invalid(path: str, code: str, **params: Any) -> Invalid:
    """An `Invalid` with one wrong field."""
    return Invalid(fields=[FieldError(path, code, params)])
