"""Errors of reviewing: their codes, in one place."""

from __future__ import annotations

from opendata.core.errors import Conflict, Forbidden


class WrongReviewer(Forbidden):
    """Not this role, or the author, or the reviewer of the other kind."""


class NotInReview(Conflict):
    default_code = "not_in_review"


class OtherContent(Conflict):
    """The decision is about a content that is no longer the release's (a 409 by the API's contract, not a 412)."""

    default_code = "stale_content_hash"
