"""Every action that the audit trail records has a sentence in both languages, and no sentence is for an action of nobody."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import opendata
from opendata.edge.messages import LANGUAGES
from opendata.edge.trail.sentences import catalogue, sentence
from opendata.publishing.standing.models import Standing
from opendata.review.models import DecisionKind, Outcome
from opendata.supervision.rectification.models import Act

RECORDING = {"record", "_record", "_note"}
_DECIDED = {f"{kind}_{outcome}" for kind in DecisionKind for outcome in Outcome}
PUT_TOGETHER = {
    "rectification.": set(Act),
    "release.": _DECIDED,
    "standing.": _DECIDED | set(Standing),
}
"""Actions whose end comes from an enumeration, by their beginning."""


def texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from texts(node.body)
        yield from texts(node.orelse)
    elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
        start = str(node.values[0].value)
        yield from (start + end for end in PUT_TOGETHER.get(start, {"?"}))


@cache
def recorded() -> set[str]:
    found: set[str] = set()
    for path in Path(opendata.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                said = {text for given in node.args for text in texts(given)} if name in RECORDING else set()
                found |= {text for text in said if re.fullmatch(r"[a-z_]+\.[a-z_?]+", text)}
    return found


def test_d52_every_action_has_a_sentence_and_no_sentence_is_idle() -> None:
    assert len(recorded()) > 100
    for language in LANGUAGES:
        assert set(catalogue(language)) == recorded(), language


def test_d52_an_action_that_nobody_records_any_more_is_shown_as_it_is() -> None:
    assert sentence("release.published", "zh") == "发布版本"
    assert sentence("gone.long_ago", "zh") == "gone.long_ago"
