"""Whoever reads the catalogue says by which rule: `visible=` names a filter of `access.policy`, wherever it is called."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import opendata
from opendata.access import policy
from opendata.catalog import queries

ROOT = Path(opendata.__file__).parent
RULES = {"PUBLIC_FILTER", "draft_filter", "seen_drafts_filter", "visible_filter"}
GUARDED = {
    name
    for name, function in vars(queries).items()
    if callable(function) and "visible" in getattr(function, "__annotations__", {})
}
# Below `access`, a filter can only be handed on.
HANDED_ON = {"visible"}


@cache
def calls() -> list[tuple[str, ast.Call]]:
    return [call for path in sorted(ROOT.rglob("*.py")) for call in calls_in(path)]


def calls_in(path: Path) -> Iterator[tuple[str, ast.Call]]:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    known = {target.id: node.value for node in nodes if isinstance(node, ast.Assign)
             for target in node.targets if isinstance(target, ast.Name)}  # fmt: skip
    for node in nodes:
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg == "visible" and isinstance(keyword.value, ast.Name):
                    keyword.value = known.get(keyword.value.id, keyword.value)
            yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def rule_of(value: ast.expr) -> str:
    """The last name of `policy.draft_filter(work)`, `PUBLIC_FILTER`, `access_policy.PUBLIC_FILTER`."""
    if isinstance(value, ast.Call):
        value = value.func
    return value.attr if isinstance(value, ast.Attribute) else getattr(value, "id", "")


def test_the_rules_are_those_of_the_policy() -> None:
    assert all(hasattr(policy, name) for name in RULES)
    assert {"dataset", "dataset_of_resource", "published", "newest_published"} <= GUARDED


def test_every_visible_names_a_rule() -> None:
    wrong = [
        where
        for where, call in calls()
        for keyword in call.keywords
        if keyword.arg == "visible"
        and rule_of(keyword.value) not in RULES | HANDED_ON
        and not where.startswith("demo/")  # an operator's command, which sees everything
    ]
    assert wrong == []


def test_every_guarded_read_says_its_rule() -> None:
    unguarded = [
        where
        for where, call in calls()
        if isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "queries"
        and call.func.attr in GUARDED
        and not any(keyword.arg == "visible" for keyword in call.keywords)
        and not where.startswith(("agencies", "inventory", "review"))  # their own `queries`
    ]
    assert unguarded == []


def test_nothing_selects_datasets_in_a_face_without_a_rule() -> None:
    """A face may ask by itself; then the same statement names a rule, or it is listed here with the reason."""
    told = {
        "compat/ckan/packages.py": "a row's face, by id: shown only if public, else through the filter",
        "compat/ckan/activities/telling.py": "the newest release of datasets whose lines went through the filter",
        "compat/ckan/revising/bulk.py": "datasets of an organization, for its admins",
        "compat/ckan/organizations.py": "whether a body still has datasets, for its admins; touches of public ones",
    }
    wrong = []
    for path in sorted([*ROOT.glob("web/**/*.py"), *ROOT.glob("compat/**/*.py"), *ROOT.glob("*/api.py")]):
        name, text = str(path.relative_to(ROOT)), path.read_text()
        for function in ast.walk(ast.parse(text)) if "Dataset" in text else ():
            if not isinstance(function, ast.FunctionDef) or name in told:
                continue
            source = ast.unparse(function)
            if re.search(r"select\(Dataset\b", source) and not any(rule in source for rule in RULES):
                wrong.append(f"{name}:{function.name}")
    assert wrong == []
