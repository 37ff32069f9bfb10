"""Secrets that others gave us and that we have to show them again, kept in the database under the site's own: a copy of the
database alone gives none of them away, and every server of the site can use them.

AES-256-GCM. The key is made of the site's secret and of the place where the value stands, so it is of no use in another one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from Crypto.Cipher import AES

_NONCE, _TAG = 12, 16


class SealBroken(Exception):
    """Sealed for another place or by another site's secret, or changed since."""


def seal(site_secret: bytes, place: str, text: str) -> str:
    """ASCII, 4/3 of the text and 40 characters."""
    nonce = secrets.token_bytes(_NONCE)
    told, tag = AES.new(_key(site_secret, place), AES.MODE_GCM, nonce=nonce).encrypt_and_digest(text.encode())
    return base64.b64encode(nonce + tag + told).decode()


def unseal(site_secret: bytes, place: str, sealed: str) -> str:
    """`SealBroken`."""
    try:
        raw = base64.b64decode(sealed, validate=True)
        cipher = AES.new(_key(site_secret, place), AES.MODE_GCM, nonce=raw[:_NONCE])
        return cipher.decrypt_and_verify(raw[_NONCE + _TAG :], raw[_NONCE : _NONCE + _TAG]).decode()
    except ValueError as error:
        raise SealBroken from error


def _key(site_secret: bytes, place: str) -> bytes:
    return hmac.digest(site_secret, f"seal {place}".encode(), hashlib.sha256)
