"""Every code that opendata/ can give has a sentence in both languages, and docs/errors.md lists it."""

from __future__ import annotations

import ast
import json
import re
import string
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from opendata.core import errors
from opendata.core.errors import DomainError, FieldError
from opendata.edge import messages
from opendata.edge.problem import STATUS
from opendata.edge.reading import PATTERNS
from opendata.publishing.sentences import Step

ROOT = Path(__file__).resolve().parents[2]
PYDANTIC = [
    "bool_parsing",
    "bool_type",
    "date_from_datetime_inexact",
    "date_from_datetime_parsing",
    "date_parsing",
    "date_type",
    "datetime_parsing",
    "datetime_from_date_parsing",
    "datetime_type",
    "dict_type",
    "enum",
    "extra_forbidden",
    "float_parsing",
    "float_type",
    "greater_than",
    "greater_than_equal",
    "int_from_float",
    "int_parsing",
    "int_type",
    "json_invalid",
    "less_than",
    "less_than_equal",
    "list_type",
    "literal_error",
    "missing",
    "model_attributes_type",
    "model_type",
    "set_type",
    "string_pattern_mismatch",
    "string_too_long",
    "string_too_short",
    "string_type",
    "timezone_aware",
    "too_long",
    "too_short",
    "url_parsing",
    "url_scheme",
    "value_error",
]
"""Codes that pydantic gives, with the parameters of its `ctx`."""
PYDANTIC_PARAMS = {
    "message", "expected", "pattern", "min_length", "max_length", "ge", "gt", "le", "lt", "error", "expected_schemes",
    "actual_length", "field_type", "class_name",
}  # fmt: skip
PASSING = {"Limited", "Unavailable", "NoSpace"}
"""Kinds that carry `retry_after`, given or not."""
FRAMEWORK = {"no_such_address": "NotFound", "method_not_allowed": "DomainError", "http_error": "DomainError"}
"""Codes of `edge.problem` for the framework's own errors."""


@dataclass
class Code:
    """A code as the source gives it."""

    kinds: set[str] = field(default_factory=set)
    params: set[str] = field(default_factory=set)
    open: bool = False
    """Some place gives parameters that only the run knows."""
    places: list[str] = field(default_factory=list)
    calls: list[tuple[str, set[str]]] = field(default_factory=list)
    """(place, parameters) of each place that says all of its parameters in the source."""


def test_every_code_has_a_sentence_in_both_languages() -> None:
    wanted = set(codes()) | set(PATTERNS.values()) | set(PYDANTIC) | set(FRAMEWORK) | kinds() | steps()
    for language in messages.LANGUAGES:
        missing = sorted(wanted - messages.catalogue(language).keys())
        assert not missing, f"{language}.json has no sentence for: " + ", ".join(
            f"{code} ({', '.join(codes()[code].places[:2])})" if code in codes() else code for code in missing
        )


def test_a_sentence_names_only_parameters_that_are_given() -> None:
    found = codes()
    wrong = []
    for language in messages.LANGUAGES:
        for code, sentence in messages.catalogue(language).items():
            known = found.get(code)
            given = set(known.params) if known else set()
            given |= PYDANTIC_PARAMS if code in PYDANTIC else set()
            given |= {"reason"} if code in FRAMEWORK else set()
            if code.startswith(("state.", "kind.")) or (known and known.open):
                continue
            wrong += [f"{language} {code}: {name}" for name in names_in(sentence) - given]
    assert not wrong, "never given:\n" + "\n".join(wrong)


def test_every_call_gives_what_its_sentence_asks_for() -> None:
    """A parameter that one place forgets would be a hole in what a person reads."""
    wrong = [
        f"{place} gives {code} no {name}"
        for language in messages.LANGUAGES
        for code, known in codes().items()
        for place, given in known.calls
        for name in sorted(names_in(messages.catalogue(language)[code]) - given)
    ]
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_the_scan_sees_a_call_that_forgets_a_parameter() -> None:
    call = ast.parse('problems.add(path, "out_of_range", lowest=1)').body[0]
    assert isinstance(call, ast.Expr)
    assert isinstance(call.value, ast.Call)
    before = {code: len(known.calls) for code, known in codes().items()}
    _from_call("planted.py", call.value, error_classes())
    place, given = codes()["out_of_range"].calls.pop()
    assert len(codes()["out_of_range"].calls) == before["out_of_range"]
    assert place == "planted.py:1"
    assert {"minimum", "maximum"} <= names_in(messages.catalogue("en")["out_of_range"]) - given


def test_every_step_gives_what_its_sentence_asks_for() -> None:
    wrong = []
    for path, node in telling():
        told = {word.arg for word in node.keywords}
        named = [_name(a) for a in node.args if isinstance(a, ast.Attribute) and _name(a.value) == "Step"]
        for step in named if None not in told else []:
            sentence = messages.catalogue("en")[f"state.{Step[step].value}"]
            wrong += [f"{path}:{node.lineno} {name}" for name in names_in(sentence) - told]
    assert not wrong


def test_states_name_only_what_their_sentence_is_told() -> None:
    given = step_params()
    wrong = [
        f"{language} {code}: {name}"
        for language in messages.LANGUAGES
        for code, sentence in messages.catalogue(language).items()
        if code.startswith("state.")
        for name in names_in(sentence) - given
    ]
    assert not wrong


def test_both_languages_say_the_same_codes_with_the_same_parameters() -> None:
    zh, en = messages.catalogue("zh"), messages.catalogue("en")
    assert zh.keys() == en.keys()
    assert [code for code in zh if names_in(zh[code]) != names_in(en[code])] == []
    assert [code for code in zh if not re.search(r"[\u4e00-\u9fff]", zh[code])] == []


def test_no_sentence_is_for_a_code_that_nobody_gives() -> None:
    known = set(codes()) | set(PATTERNS.values()) | set(PYDANTIC) | set(FRAMEWORK) | kinds() | steps()
    assert sorted({c for c in messages.catalogue("en") if not c.startswith("word.")} - known) == []


def test_docs_list_every_error_with_its_meaning() -> None:
    page = ROOT / "docs" / "errors.md"
    assert page.read_text(encoding="utf-8") == document(), (
        "docs/errors.md is out of date: python tests/edge/test_messages.py writes it"
    )


def test_a_field_of_pydantic_without_a_sentence_keeps_its_own() -> None:
    assert messages.field_text(FieldError("x", "never_heard_of", {"message": "as told"}), "zh") == "as told"


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_a_sentence_never_fails(language: str) -> None:
    for code in messages.catalogue(language):
        assert messages.text(code, language, {"limit": 3, "known": ["a", "b"]})
        assert messages.text(code, language)


def names_in(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def kinds() -> set[str]:
    return {
        f"kind.{kind.__name__}"
        for kind in [DomainError, *_below(DomainError)]
        if kind.__module__ == errors.__name__
    }


def _below(kind: type) -> list[type]:
    return [found for below in kind.__subclasses__() for found in (below, *_below(below))]


def steps() -> set[str]:
    return {f"state.{step.value}" for step in Step}


@cache
def nodes() -> list[tuple[str, ast.AST]]:
    """The classes, calls and tuples of the program, and the files that they are in."""
    found: list[tuple[str, ast.AST]] = []
    for path in sorted((ROOT / "opendata").rglob("*.py")):
        tree, name = ast.parse(path.read_text(encoding="utf-8")), str(path.relative_to(ROOT))
        found += [
            (name, node) for node in ast.walk(tree) if isinstance(node, ast.ClassDef | ast.Call | ast.Tuple)
        ]
    return found


def telling() -> list[tuple[str, ast.Call]]:
    calls = [(path, node) for path, node in nodes() if isinstance(node, ast.Call)]
    return [(path, call) for path, call in calls if _name(call.func) in ("say", "send_back")]


def step_params() -> set[str]:
    return {"code"} | {word.arg for _, call in telling() for word in call.keywords if word.arg}


def error_classes() -> dict[str, str]:
    """Class name -> kind, for every error class of the project."""
    found = {"DomainError": "DomainError"}
    classes = [(path, node) for path, node in nodes() if isinstance(node, ast.ClassDef)]
    grew = True
    while grew:
        grew = False
        for path, node in classes:
            above = next((_name(base) for base in node.bases if _name(base) in found), None)
            if above is not None and node.name not in found:
                found[node.name] = node.name if path == "opendata/core/errors.py" else found[above]
                grew = True
    return found


_codes: dict[str, Code] = {}
_defaults: dict[str, str] = {}
"""The code of an error class that is raised without one."""
ADDING = ("opendata/tables/query.py", "planted.py")
"""Give the errors of a query as `problems.add(path, code, …)`."""
FINDINGS = ("opendata/validation/schemas.py", "opendata/validation/checks/plugin.py")
"""Give the errors of a table schema as (path, code, params)."""
OF_PORTS = {"TaskError": "file", "FetchFailed": "field", "SourceBroken": "harvest", "PushBroken": "report"}
"""Errors of what we ask of the outside, and what they become."""
TELLING = ("opendata/harvest/", "opendata/reporting/")  # in a report of a run, what became of a record
ELSEWHERE = {"file_too_heavy": "file"}
"""Codes that are handed on as a plain text: tables.service gives up on a file."""


def codes() -> dict[str, Code]:
    if not _codes:
        classes = error_classes()
        for path, node in nodes():
            if isinstance(node, ast.ClassDef) and node.name in classes:
                _default_code(path, node, classes[node.name])
        for path, node in nodes():
            if isinstance(node, ast.Call):
                _from_call(path, node, classes)
            elif isinstance(node, ast.Tuple) and path in FINDINGS:
                _from_finding(path, node)
        for code, kind in ELSEWHERE.items():
            _note(code, kind, set(), True, "handed on")
    return _codes


def _default_code(path: str, node: ast.ClassDef, kind: str) -> None:
    for statement in node.body:
        if isinstance(statement, ast.Assign) and _name(statement.targets[0]) == "default_code":
            for code in _texts(statement.value):
                _defaults[node.name] = code
                _note(code, kind, set(), False, f"{path}:{statement.lineno}")


def _from_call(path: str, node: ast.Call, classes: dict[str, str]) -> None:
    name = _name(node.func)
    words = {word.arg for word in node.keywords if word.arg} - {"fields"}
    many = any(word.arg is None for word in node.keywords)
    place = f"{path}:{node.lineno}"
    if name in classes or name in OF_PORTS:
        kind = classes.get(name) or OF_PORTS[name]
        for code in _texts(node.args[0]) if node.args else filter(None, [_defaults.get(name)]):
            _note(code, kind, words, many, place)
    elif name == "told" and path.startswith(TELLING):
        for code in _texts(node.args[0]):
            _note(code, "harvest" if path.startswith(TELLING[0]) else "report", words, many, place)
    elif name == "Refused" and path.startswith("opendata/harvest/") and node.args:
        given, rest = _keys(node.args[2]) if len(node.args) > 2 else (set(), False)
        for code in _texts(node.args[0]):
            _note(code, "harvest", given, rest, place)
    elif (name == "invalid" and len(node.args) > 1) or (
        name == "add" and len(node.args) == 2 and path in ADDING
    ):
        for code in _texts(node.args[1]):
            _note(code, "field", words, many, place)
    elif name == "PydanticCustomError":  # of a validator of ours
        for code in _texts(node.args[0]):
            _note(code, "field", {"message"}, False, place)
    elif name == "FieldError" and len(node.args) > 1:
        given, rest = _keys(node.args[2]) if len(node.args) > 2 else (set(), False)
        for code in _texts(node.args[1]):
            _note(code, "field", given, rest, place)


def _from_finding(path: str, node: ast.Tuple) -> None:
    if len(node.elts) == 3 and isinstance(node.elts[2], ast.Dict):
        given, rest = _keys(node.elts[2])
        for code in _texts(node.elts[1]):
            _note(code, "field", given, rest, f"{path}:{node.lineno}")


def _note(code: str, kind: str, params: set[str], many: bool, place: str) -> None:
    found = _codes.setdefault(code, Code())
    found.kinds.add(kind)
    found.params |= params
    found.open = found.open or many
    found.places.append(place)
    if not many:
        found.calls.append((place, params | ({"retry_after"} if kind in PASSING else set())))


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _texts(node: ast.AST) -> list[str]:
    """The texts an expression can be: a constant, or the two of a choice."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return [*_texts(node.body), *_texts(node.orelse)]
    return []


def _keys(node: ast.AST) -> tuple[set[str], bool]:
    if isinstance(node, ast.Dict):
        keys = {
            key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)
        }
        return keys, len(keys) < len(node.keys)
    return set(), True


def document() -> str:
    en, zh = messages.catalogue("en"), messages.catalogue("zh")
    lines = [
        "# Errors",
        "",
        "Every answer that is no success is `application/problem+json` (RFC 9457) with a stable `code`; `errors` names every",
        "wrong field with a code of its own. The sentence is made from the code and its parameters, in the caller's language.",
        "This page is written by `python tests/edge/test_messages.py`; a test keeps it true.",
        "",
        "## Kinds",
        "",
        "| kind | status | meaning |",
        "|---|---|---|",
    ]
    from_class = {kind.__name__: kind for kind in [DomainError, *_below(DomainError)]}
    for kind in sorted(kinds()):
        name = kind.removeprefix("kind.")
        lines.append(f"| {name} | {_status(from_class[name])} | {_cell(en[kind])} {_cell(zh[kind])} |")
    lines += [
        "",
        "## Codes",
        "",
        "`field`: in `errors`, beside the place. `file`: why a file could not be read, in its report and its profile.",
        "`harvest`: why a run failed, or a record was refused, in the run's report. `report`: the same of a push.",
        "",
        "| code | kind | meaning |",
        "|---|---|---|",
    ]
    every = codes() | {code: Code({kind}) for code, kind in FRAMEWORK.items()}
    every |= {code: Code({"field"}) for code in (*PYDANTIC, *PATTERNS.values()) if code not in every}
    for code in sorted(every):
        lines.append(
            f"| `{code}` | {', '.join(sorted(every[code].kinds))} | {_cell(en[code])} {_cell(zh[code])} |"
        )
    return "\n".join(lines) + "\n"


def _status(kind: type[DomainError]) -> int:
    return next((STATUS[above] for above in kind.__mro__ if above in STATUS), 500)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    (ROOT / "docs" / "errors.md").write_text(document(), encoding="utf-8")
    print(json.dumps({"codes": len(codes())}))
