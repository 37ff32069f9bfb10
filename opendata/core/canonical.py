"""Canonical JSON (RFC 8785) and hashes over it: equal values have equal bytes whatever wrote them."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
import rfc8785

_LARGEST = 2**53 - 1


def canonical_json(value: Any) -> bytes:
    """The RFC 8785 bytes of a JSON value. Raises `rfc8785.CanonicalizationError` for what JSON cannot hold."""
    if _is_plain(value):
        try:
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        except orjson.JSONEncodeError:
            pass  # a lone surrogate: rfc8785 says so in its own way
    return bytes(rfc8785.dumps(value))


def _is_plain(value: Any) -> bool:
    """Whether orjson's sorted bytes are the canonical ones: no floats (their digits differ), no large numbers, and keys in
    ASCII (others are sorted in another order)."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return bool(-_LARGEST <= value <= _LARGEST)
    if kind is list:
        return all(map(_is_plain, value))
    if kind is not dict:
        return False
    for key, held in value.items():  # no generator: each audit line and each release comes by here
        if type(key) is not str or not key.isascii() or not (type(held) is str or _is_plain(held)):
            return False
    return True


def sha256_json(value: Any) -> str:
    """SHA-256 in hex over the canonical bytes of a JSON value."""
    return hashlib.sha256(canonical_json(value)).hexdigest()
