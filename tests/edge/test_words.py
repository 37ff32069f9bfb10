"""What sentences call roles and reviews: never by their codes."""

from __future__ import annotations

import pytest

from opendata.core.errors import Conflict, Forbidden
from opendata.edge import messages
from opendata.review.models import DecisionKind
from opendata.work.actor import Role

CALLED = {role.value for role in Role if role is not Role.MEMBER} | {kind.value for kind in DecisionKind}


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_every_role_and_review_has_its_word_and_nothing_else(language: str) -> None:
    words = {code.removeprefix("word.") for code in messages.catalogue(language) if code.startswith("word.")}
    assert words == CALLED


@pytest.mark.parametrize(
    ("language", "decided", "role"),
    [
        ("zh", "内容审查已作出决定", "“保密审查员”角色"),
        ("en", "content review has been", "role of secrecy reviewer"),
    ],
)
def test_a_sentence_uses_the_word(language: str, decided: str, role: str) -> None:
    assert decided in messages.error_text(Conflict("already_decided", kind="content"), language)
    missing = Forbidden("reviewer_role_missing", role="secrecy_reviewer")
    assert role in messages.error_text(missing, language)


def test_a_list_has_the_comma_of_its_language() -> None:
    known = [messages.text("sheet_empty", one, {"sheets": ["a", "b"]}) for one in ("zh", "en")]
    assert ("a、b" in known[0], "a, b" in known[1]) == (True, True)
