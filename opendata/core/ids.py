"""Identifiers: UUIDs of version 7 (RFC 9562), whose order is the order of their making, so indexes stay compact."""

from __future__ import annotations

import secrets
import time
import uuid


def new_id() -> str:
    """A new UUIDv7 in its 36-character form."""
    millis = time.time_ns() // 1_000_000
    value = (
        (millis & ((1 << 48) - 1)) << 80
        | 0x7 << 76
        | secrets.randbits(12) << 64
        | 0b10 << 62
        | secrets.randbits(62)
    )
    return str(uuid.UUID(int=value))


def is_id(text: str) -> bool:
    """Whether the text has the form of an identifier (of any UUID version, lower or upper case)."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
