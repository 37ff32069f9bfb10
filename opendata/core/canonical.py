"""Canonical JSON (RFC 8785) and hashes over it: equal values have equal bytes whatever wrote them."""

from __future__ import annotations

import hashlib
from typing import Any

import rfc8785


def canonical_json(value: Any) -> bytes:
    """The RFC 8785 bytes of a JSON value. Raises `rfc8785.CanonicalizationError` for what JSON cannot hold."""
    return bytes(rfc8785.dumps(value))


def sha256_json(value: Any) -> str:
    """SHA-256 in hex over the canonical bytes of a JSON value."""
    return hashlib.sha256(canonical_json(value)).hexdigest()
