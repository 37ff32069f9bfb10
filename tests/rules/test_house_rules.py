"""The house rules of deploy/make/house_rules.py. A rule is a name, a summary and a function."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_place = Path(__file__).resolve().parents[2] / "deploy" / "make" / "house_rules.py"
_spec = importlib.util.spec_from_file_location("house_rules", _place)
assert _spec
assert _spec.loader
rules: Any = importlib.util.module_from_spec(_spec)
sys.modules["house_rules"] = rules
_spec.loader.exec_module(rules)

Sample = str | tuple[str, str]
"""A text, in opendata/a.py unless a path is given."""


@dataclass(frozen=True)
class Rule:
    name: str
    summary: str
    check: Callable[[list[rules.Source]], Iterator[str]]
    breaches: list[Sample]
    """Planted; the check must find each."""
    allowed: list[Sample]
    """They look alike and are right."""

    def found_in(self, sample: Sample) -> list[str]:
        path, text = sample if isinstance(sample, tuple) else ("opendata/a.py", sample)
        return list(self.check([rules.Source(path, text)]))


LONG = "def f():\n" + "    x = 1\n" * rules.MAX_FUNCTION_LINES
LONG_DOCSTRING = 'def f():\n    """a\n\n' + "    b\n" * rules.MAX_FUNCTION_LINES + '    """\n'
IGNORED, QUIETED = "x = 1  # type: " + "ignore", "x = 1  # no" + "qa: S101"
RULES = [
    Rule(
        "file-size",
        f"A file has at most {rules.MAX_FILE_LINES} lines.",
        rules.file_size,
        ["x = 1\n" * 401],
        ["x = 1\n" * 400],
    ),
    Rule(
        "function-size",
        f"A function has at most {rules.MAX_FUNCTION_LINES} lines, its docstring not counted.",
        rules.function_size,
        [LONG, "class A:\n  async " + LONG],
        [LONG_DOCSTRING],
    ),
    Rule(
        "clear-names",
        "No module named utils, manager and the like.",
        rules.clear_names,
        [("opendata/utils.py", "")],
        [""],
    ),
    Rule(
        "release-state",
        "Only catalog/lifecycle.py and publishing write a release's state.",
        rules.release_state,
        [
            "release.state = 'published'",
            "dataset.open_release.state, b = 1, 2",
            "setattr(draft, 'state', 1)",
            "update(Release).where(x).values(state=1)",
        ],
        [
            ("opendata/publishing/a.py", "release.state = 1"),
            "app.state = release.state",
            "update(Job).values(state=1)",
        ],
    ),
    Rule(
        "imports-on-top",
        "No import inside a function.",
        rules.imports_on_top,
        ["def f():\n    if x:\n        import os"],
        ["if TYPE_CHECKING:\n    import os"],
    ),
    Rule(
        "no-addresses",
        "No tracked file names a package registry or a path of one machine.",
        rules.no_addresses,
        [
            ("a.lock", "--index-url https://" + rules.REGISTRIES[0]),
            ("a.md", "cd /" + "work/main"),
            ("a.sh", "/" + "root/x"),
        ],
        ["opendata/work/unit.py ../work/unit.py"],
    ),
    Rule(
        "package-door",
        "An __init__.py holds a docstring and re-exports, no code.",
        rules.package_door,
        [
            ("opendata/a/__init__.py", ""),
            ("opendata/a/__init__.py", '"""A."""\ndef f(): ...'),
            ("opendata/a/__init__.py", '"""A."""\nif TYPE_CHECKING:\n    x = 1'),
            ("opendata/a/__init__.py", '"""A."""\ndef __getattr__(name):' + "\n    name" * 5),
        ],
        [
            ("opendata/a/__init__.py", '"""A."""\nfrom a import b\n__all__ = ["b"]'),
            ("opendata/a/__init__.py", '"""A."""\nif TYPE_CHECKING:\n    from a import b'),
            ("opendata/a/__init__.py", '"""A."""\ndef __getattr__(name):' + "\n    name" * 4),
        ],
    ),
    Rule(
        "no-dangers",
        "No unescaped markup, no unsafe loaders, no shell, no unverified TLS in opendata/.",
        rules.no_dangers,
        [
            *(
                "Markup(x)",
                "get(u, verify=False)",
                "run(c, shell=True)",
                "yaml.load(x)",
                "import pickle",
                "eval(x)",
            ),
            "from pickle import loads",
            ("opendata/web/a.html", "{{ x | safe }}"),
        ],
        ["yaml.safe_load(x); re.compile(x); run(c, shell=False)", ("opendata/a.html", "{{ x|safely }}")],
    ),
    Rule(
        "reasoned-exceptions",
        "Every `type: ignore` and `noqa` has a code and a reason.",
        rules.reasoned_exceptions,
        [IGNORED, IGNORED + "[misc]", QUIETED, QUIETED.removesuffix(": S101")],
        [IGNORED + "[misc]  # the library says Any", QUIETED + " - shown to nobody"],
    ),
    Rule(
        "known-services",
        "Tests ask for servers by the names that deploy/services sets.",
        rules.known_services,
        [("tests/a.py", "environ['OPENDATA_TEST_" + "ORACLE_URL']")],
        [("tests/a.py", "environ['OPENDATA_TEST_" + "S3_URL']")],
    ),
]
by_name = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


def test_the_project_is_seen() -> None:
    assert {"pyproject.toml", "opendata/__init__.py", "requirements.lock"} <= {
        source.path for source in rules.project()
    }


@by_name
def test_the_project_keeps_the_rule(rule: Rule) -> None:
    found = list(rule.check(rules.project()))
    assert not found, f"{rule.summary}\n" + "\n".join(found)


@by_name
def test_the_rule_finds_what_it_forbids_and_nothing_else(rule: Rule) -> None:
    overlooked = [sample for sample in rule.breaches if not rule.found_in(sample)]
    assert not overlooked
    accused = [found for sample in rule.allowed for found in rule.found_in(sample)]
    assert not accused


def test_a_package_folder_is_small() -> None:
    assert not list(rules.package_size(rules.project()))
    thirteen = [rules.Source(f"opendata/a/{n}.py", "") for n in range(rules.MAX_PACKAGE_FILES + 1)]
    assert list(rules.package_size(thirteen))
    assert not list(rules.package_size([*thirteen[1:], rules.Source("opendata/a/__init__.py", "")]))
