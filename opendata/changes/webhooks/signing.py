"""Messages and their signatures by Standard Webhooks (https://www.standardwebhooks.com): a receiver's library of that name
verifies them.

The secret of a webhook is made of the site's own and the webhook's id. So it is nowhere stored, and no copy of the database
gives it away.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

PREFIX = "whsec_"


def secret_of(site_secret: bytes, webhook_id: str) -> str:
    """As the receiver is told it: `whsec_` and 32 bytes in base64."""
    return PREFIX + base64.b64encode(_key(site_secret, webhook_id)).decode()


def headers(
    site_secret: bytes, webhook_id: str, message_id: str, timestamp: int, body: bytes
) -> Mapping[str, str]:
    signed = f"{message_id}.{timestamp}.".encode() + body
    signature = hmac.digest(_key(site_secret, webhook_id), signed, hashlib.sha256)
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }


def _key(site_secret: bytes, webhook_id: str) -> bytes:
    return hmac.digest(site_secret, f"webhook {webhook_id}".encode(), hashlib.sha256)
