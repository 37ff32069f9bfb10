"""Where a release stands, as {code, params}; `edge/messages` holds the sentence of each code in each language."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from opendata.catalog.models import Release


class Step(StrEnum):
    DRAFT = "draft"
    EDITED_AGAIN = "edited_again"
    INCOMPLETE = "incomplete"
    SUBMITTED = "submitted"
    SCREENING = "screening"
    VALIDATING = "validating"
    IN_REVIEW = "in_review"
    IN_LIGHT_REVIEW = "in_light_review"
    ONE_APPROVAL = "one_approval"
    PUBLISHING = "publishing"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    RETURNED_FINDINGS = "returned_findings"
    MASKING = "masking"
    MASKED = "masked"
    NOT_MASKED = "not_masked"
    RETURNED_STRUCTURE = "returned_structure"
    RETURNED_REJECTED = "returned_rejected"
    RETURNED_FORBIDDEN = "returned_forbidden"
    RETURNED_NOT_LIGHT = "returned_not_light"
    FORBIDDEN = "forbidden"
    FAILED = "failed"
    DISCARDED = "discarded"


def say(release: Release, step: Step, **params: Any) -> None:
    release.sentence = {"code": step.value, "params": params}
