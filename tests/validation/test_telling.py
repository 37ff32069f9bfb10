"""What a report says so that a clerk can act: groups, sentences, for every rule there is."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any

import frictionless
import pytest
from starlette.testclient import TestClient

from opendata.edge.messages import LANGUAGES
from opendata.validation.checks.plugin import CHECKS
from opendata.validation.telling import sentences
from opendata.validation.telling.groups import grouped
from opendata.validation.telling.sentences import Teller

API = "/api/v1"
LIGHT = pytest.mark.parametrize("settings", ["light"], indirect=True)
FIELD_TYPES = (
    "any", "array", "boolean", "date", "datetime", "duration", "geojson", "geopoint", "integer", "list", "number", "object",
    "string", "time", "year", "yearmonth",
)  # fmt: skip
CONSTRAINTS = ("required", "unique", "enum", "minimum", "maximum", "minLength", "maxLength", "pattern")


def kinds() -> list[str]:
    found = vars(frictionless.errors).values()
    return sorted({c.type for c in found if inspect.isclass(c) and issubclass(c, frictionless.Error)})


def reasons() -> Iterator[tuple[str, str]]:
    """(check, reason) of each of our checks, as its own text lists them."""
    for name, check in CHECKS.items():
        told = re.search(r"Reasons?: (.*)", inspect.getdoc(check) or "", re.DOTALL)
        assert told, f"{name} does not say its reasons"
        plain = re.sub(r"\([^()]*\)", "", told[1])
        yield from ((name, reason) for reason in re.findall(r"`(\w+)`", plain))


def rules(language: str) -> dict[str, str]:
    return {
        key: text
        for key, text in sentences.catalogue(language).items()
        if not key.startswith(("note.", "clean."))
    }


class TestEveryRule:
    @pytest.mark.parametrize("kind", kinds())
    def test_each_error_of_frictionless_has_a_sentence_of_its_own(self, kind: str) -> None:
        for language in LANGUAGES:
            known = sentences.catalogue(language)
            assert kind in known or f"{kind}.any" in known

    @pytest.mark.parametrize(("check", "reason"), sorted(set(reasons())))
    def test_each_reason_of_a_check_has_one(self, check: str, reason: str) -> None:
        error = {"type": check, "reason": reason, "title": "zqx", "note": "zqx"}
        said = Teller({"fields": []}).say(error)
        assert "zqx" not in said["zh"] + said["en"]

    def test_types_and_constraints_have_one_each(self) -> None:
        for language in LANGUAGES:
            known = sentences.catalogue(language)
            assert all(f"type-error.{kind}" in known for kind in FIELD_TYPES)
            assert all(f"constraint-error.{name}" in known for name in CONSTRAINTS)

    def test_both_languages_say_the_same_and_each_says_what_to_do(self) -> None:
        assert sentences.catalogue("zh").keys() == sentences.catalogue("en").keys()
        zh, en = (rules(language) for language in LANGUAGES)
        assert [key for key, text in zh.items() if "请" not in text] == []
        assert [key for key, text in en.items() if not re.search(r"\. [A-Z]|\? [A-Z]", text)] == []
        for texts in (zh, en):
            for text in texts.values():
                text.format(**dict.fromkeys((*sentences.PARAMS, "note", "title", "rule"), "x"))

    def test_no_sentence_is_idle(self) -> None:
        known = {key.partition(".")[0] for key in rules("en")}
        assert (
            sorted(known - set(kinds()) - set(CHECKS) - {"any", "row-rule", "task-error", "formula-value"})
            == []
        )


def report(*errors: dict[str, Any]) -> dict[str, Any]:
    return {"errors": [], "tasks": [{"errors": list(errors), "warnings": []}]}


class TestGroups:
    def test_by_column_rule_and_value_with_counts(self) -> None:
        wrong = {"type": "type-error", "fieldName": "n", "fieldNumber": 2, "note": "x"}
        cells = [wrong | {"cell": c, "rowNumber": r} for r, c in enumerate(["一", "二", "一", "一"], start=2)]
        (group,) = grouped(report(*cells), {"fields": [{"name": "n", "type": "integer"}]}, {"n": "数量"})
        assert (group.column, group.rule, group.count) == ("数量", "type-error.integer", 4)
        assert [(v.value, v.count, v.rows) for v in group.values] == [("一", 3, [2, 4, 5]), ("二", 1, [3])]

    def test_a_format_is_named(self) -> None:
        field = {"name": "d", "type": "date", "format": "%d/%m/%Y"}
        error = {"type": "type-error", "fieldName": "d", "cell": "x", "note": "x"}
        assert "%d/%m/%Y" in Teller({"fields": [field]}).say(error)["zh"]

    def test_a_rule_of_the_row_is_said_in_words(self) -> None:
        check = {
            "type": "row-constraint",
            "formula": "a<b",
            "title": "甲小于乙",
            "description": "a is less than b",
        }
        error = {"type": "row-constraint", "note": 'the row constraint to conform is "a<b"', "rowNumber": 2}
        said = Teller({"fields": [], "checks": [check]}).say(error)
        assert "甲小于乙" in said["zh"]
        assert "a is less than b" in said["en"]


@LIGHT
class TestOverHttp:
    def test_a_tried_file_is_told_by_group(self, client: TestClient) -> None:
        text = "线路编号,方向,站序,站点编号,站点名称,行政区划代码\nNT001,左,1,S1,a,320613\nNT001,左,x,S2,b,320602\n"
        answer = client.post(
            f"{API}/validate", files={"file": ("站.csv", text.encode())}, data={"schema_name": "bus_stop"}
        ).json()
        told = answer["findings"]
        assert (told["listed"], told["complete"]) == (4, True)
        assert [(g["column"], g["rule"], g["count"]) for g in told["groups"]] == [
            ("方向", "constraint-error.enum", 2),
            ("站序", "type-error.integer", 1),
            ("行政区划代码", "gbt2260.replaced", 1),
        ]
        assert told["groups"][0]["values"] == [{"value": "左", "count": 2, "rows": [2, 3]}]
        assert "320613" in told["groups"][2]["sentence"]["en"]

    def test_a_report_that_stopped_says_so(self, client: TestClient) -> None:
        text = "n\n" + "x\n" * 1100
        schema = {"fields": [{"name": "n", "type": "integer"}]}
        files = {"file": ("n.csv", text.encode())}
        answer = client.post(f"{API}/validate", files=files, data={"schema": json.dumps(schema)}).json()
        assert (answer["findings"]["listed"], answer["findings"]["complete"]) == (1000, False)

    def test_a_resource_report_has_them_beside_the_standard_one(self, office: Any, settle: Any) -> None:
        draft = office.draft()
        schema = {"fields": [{"name": "a", "type": "integer"}, {"name": "b", "type": "string"}]}
        resource = office.upload(draft["id"], b"a,b\nx,1\n")["id"]
        office.editor.patch(f"/resources/{resource}", json={"schema": schema})
        settle()
        body = office.editor.get(f"/resources/{resource}/report?draft=true").json()
        assert body["report"]["tasks"][0]["errors"][0]["type"] == "type-error"
        (group,) = body["findings"]["groups"]
        assert (group["column"], group["rule"], group["values"][0]["rows"]) == (
            "a",
            "type-error.integer",
            [2],
        )
