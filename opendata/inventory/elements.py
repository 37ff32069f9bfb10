"""The elements of a line: their names, what they are when nobody has written them, and which of them go together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from opendata.agencies.models import Agency
from opendata.core.errors import FieldError
from opendata.inventory.models import DataLevel, Domain, FormatClass, Openness, ShareType, UpdateCycle

ELEMENTS = (
    "resource_code", "category", "category_path", "title", "abstract", "format_class", "format_type", "items", "share_type",
    "share_condition", "share_method", "openness", "open_condition", "update_cycle", "issued_on", "related_codes",
    "data_level", "domain", "region_code", "lead_unit", "responsible_unit", "city_fields",
)  # fmt: skip
"""What people write. The body itself is the other core element: 提供方 and its code."""
MAY_BE_EMPTY = frozenset(
    {"category_path", "share_condition", "share_method", "open_condition", "region_code", "lead_unit", "responsible_unit"}
)  # fmt: skip
CODE = re.compile(r"[1-3][0-9]{2}[0-9]{3}[0-9]*/[0-9]+")
MOST_ITEMS = 2000
DEPARTMENT_CATEGORY = "306001"
"""类 3 部门, 项 06 省级及以下政务部门, 目 001: where a line stands until somebody classifies it."""
_STRICTER = (Openness.UNCONDITIONAL, Openness.CONDITIONAL, Openness.CLOSED)
_NO_GROUND = frozenset({"", "-", "—", "/", "无", "暂无", "待定", "none", "n/a", "null", "tbd", "nil"})


def is_ground(text: str | None) -> bool:
    """Whether somebody has written a basis, a condition or a ground, and not only filled the field."""
    return (text or "").strip().lower() not in _NO_GROUND


def defaults(agency: Agency, given: Mapping[str, Any]) -> dict[str, Any]:
    code = given.get("resource_code")
    return {
        "abstract": given["title"],
        "category": code.partition("/")[0] if code else DEPARTMENT_CATEGORY,
        "format_class": FormatClass.SPREADSHEET,
        "format_type": "csv",
        "items": [],
        "share_type": ShareType.UNCONDITIONAL,
        "openness": Openness.UNCONDITIONAL,
        "update_cycle": UpdateCycle.IRREGULAR,
        "related_codes": [],
        "data_level": _highest(given.get("items") or []),
        "domain": Domain.OTHER,
        "region_code": agency.region_code,
        "city_fields": {},
    }


def items_of(given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Items as they are kept: name, type and length; level and openness where they are not simply the line's."""
    return [
        {"name": item["name"], "type": item.get("type") or "C", "length": item.get("length")}
        | {part: item[part] for part in ("level", "openness") if item.get(part)}
        for item in given
    ]


def kept_parts(
    items: Sequence[Mapping[str, Any]], known: Sequence[Mapping[str, Any]], parts: Sequence[str]
) -> list[dict[str, Any]]:
    """The items, with these parts of the known ones of the same name: where a form or a file cannot say them, they stay.
    Otherwise an item that is closed would be opened by whoever edits another element."""
    by_name = {item["name"]: item for item in known}
    kept = []
    for item in items:
        old = by_name.get(item["name"], {})
        kept.append({part: old[part] for part in parts if old.get(part) is not None} | dict(item))
    return kept


def check(values: Mapping[str, Any]) -> list[FieldError]:
    """What is wrong with a whole line. Pure: the form, the API and the workbook are judged alike."""
    errors = _check_code(values) + _check_opening(values)
    if values["share_type"] != ShareType.UNCONDITIONAL and not is_ground(values.get("share_condition")):
        errors.append(FieldError("share_condition", "share_needs_condition"))
    if len(values["items"]) > MOST_ITEMS:
        return [*errors, FieldError("items", "too_long")]
    names: set[str] = set()
    for place, item in enumerate(values["items"]):
        errors += _check_item(f"items.{place}", item, values, names)
    return errors


def _check_code(values: Mapping[str, Any]) -> list[FieldError]:
    code, category = values.get("resource_code"), values["category"]
    errors = []
    if code and code.partition("/")[0] != category:
        errors.append(FieldError("resource_code", "code_of_other_category", {"category": category}))
    return errors + [
        FieldError("related_codes", "bad_resource_code", {"value": str(related)[:100]})
        for related in values["related_codes"]
        if not CODE.fullmatch(str(related))
    ]


def _check_opening(values: Mapping[str, Any]) -> list[FieldError]:
    openness, condition = values["openness"], values.get("open_condition")
    errors = []
    if openness == Openness.CLOSED:
        if not is_ground(condition):
            errors.append(FieldError("open_condition", "closed_needs_basis"))
        return errors
    if openness == Openness.CONDITIONAL and not is_ground(condition):
        errors.append(FieldError("open_condition", "conditional_needs_condition"))
    if values["data_level"] == DataLevel.L4:
        errors.append(FieldError("data_level", "level_not_open"))
    if values["share_type"] == ShareType.NOT_SHARED:
        errors.append(FieldError("share_type", "open_not_shared"))
    return errors


def _check_item(
    path: str, item: Mapping[str, Any], values: Mapping[str, Any], names: set[str]
) -> list[FieldError]:
    errors = []
    if item["name"] in names:
        errors.append(FieldError(f"{path}.name", "item_repeated", {"name": item["name"]}))
    names.add(item["name"])
    own = item.get("openness") or values["openness"]
    if _STRICTER.index(Openness(own)) < _STRICTER.index(Openness(values["openness"])):
        errors.append(FieldError(f"{path}.openness", "item_more_open"))
    level = item.get("level")
    if level and own != Openness.CLOSED and level > values["data_level"]:
        errors.append(FieldError(f"{path}.level", "item_above_line", {"level": values["data_level"]}))
    return errors


def _highest(items: Sequence[Mapping[str, Any]]) -> DataLevel:
    """A line is as sensitive as the most sensitive of its items that go out (standards/china.md 2.3)."""
    levels = [str(i["level"]) for i in items if i.get("level") and i.get("openness") != Openness.CLOSED]
    return DataLevel(max(levels, default=DataLevel.L1.value))
