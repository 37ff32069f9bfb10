"""Every occasion has a sentence in both languages, of the same parameters."""

from __future__ import annotations

import string

from opendata.accounts.notices.models import Occasion
from opendata.accounts.notices.sentences import catalogue
from opendata.edge.messages import LANGUAGES
from opendata.review.models import DecisionKind


def names_in(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_both_languages_say_every_occasion_with_the_same_parameters() -> None:
    wanted = {*Occasion, *(f"kind.{kind}" for kind in DecisionKind)}
    zh, en = (catalogue(language) for language in LANGUAGES)
    assert zh.keys() == en.keys() == {str(key) for key in wanted}
    assert [key for key in zh if names_in(zh[key]) != names_in(en[key])] == []
