"""A look in its reader's language."""

from __future__ import annotations

from opendata.edge import messages
from opendata.supervision.links.checking import LIMITS
from opendata.supervision.links.models import REACHED, LinkCheck
from opendata.supervision.sentences import sentence


def sentence_of(look: LinkCheck, language: str) -> str:
    if look.outcome != REACHED:
        params = {"status": look.status, "limit": limits().get(look.outcome)}
        return messages.text(look.outcome, language, params)
    if look.status is not None:
        return sentence("look.busy", {"status": look.status}, language)
    return sentence("look.changed" if look.changed else "look.reached", {}, language)


def limits() -> dict[str, int]:
    """What the sentence of an outcome names as the bound."""
    return {"fetch_redirects": LIMITS.redirects, "fetch_too_slow": round(LIMITS.seconds)}
