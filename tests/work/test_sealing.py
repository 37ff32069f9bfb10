"""Sealed secrets: given back to the right place alone, and never when a byte of them was changed."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opendata.work.sealing import SealBroken, seal, unseal

SITE = b"0" * 64


@settings(deadline=None)
@given(st.text(max_size=300), st.text(max_size=50))
def test_what_is_sealed_comes_back(text: str, place: str) -> None:
    sealed = seal(SITE, place, text)
    assert sealed.isascii()
    assert unseal(SITE, place, sealed) == text
    assert seal(SITE, place, text) != sealed, "equal secrets are not seen to be equal"


@settings(deadline=None)
@given(st.integers(0, 35), st.integers(1, 255))
def test_a_changed_byte_is_noticed(at: int, by: int) -> None:
    raw = bytearray(base64.b64decode(seal(SITE, "a", "password")))
    raw[at] ^= by
    with pytest.raises(SealBroken):
        unseal(SITE, "a", base64.b64encode(raw).decode())


@pytest.mark.parametrize(
    ("site", "place", "sealed"),
    [
        (b"1" * 64, "a", None),
        (SITE, "b", None),
        (SITE, "a", ""),
        (SITE, "a", "not base64!"),
        (SITE, "a", "AAAA"),
    ],
)
def test_another_site_place_or_text_does_not_open_it(site: bytes, place: str, sealed: str | None) -> None:
    with pytest.raises(SealBroken):
        unseal(site, place, seal(SITE, "a", "password") if sealed is None else sealed)
