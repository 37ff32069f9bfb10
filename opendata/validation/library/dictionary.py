"""A Table Schema told field by field: what the page, the data dictionary and the templates say."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from opendata.catalog.codes import codes

Schema = Mapping[str, Any]
LONGEST_LIST = 200
"""Codes of a list that are told; longer ones are named only."""


@dataclass(frozen=True)
class Entry:
    """One field. Texts in the language that was asked for; empty where the schema says nothing."""

    name: str
    title: str
    description: str
    type: str
    required: bool
    key: bool
    unit: str
    codes: tuple[str, ...]
    code_list: str
    limits: str
    checks: tuple[str, ...]
    national_code: str
    aliases: tuple[str, ...]
    privacy: str
    privacy_basis: str
    example: str


def text(about: Schema, name: str, language: str) -> str:
    """`title`, `description` or `x-privacy` in Chinese, or their English twins where there are some."""
    twin = f"{name if name.startswith('x-') else f'x-{name}'}-en"
    return str((about.get(twin) if language == "en" else None) or about.get(name) or "")


def entries(schema: Schema, language: str) -> list[Entry]:
    key = keys(schema)
    return [_entry(field, key, language) for field in schema.get("fields", [])]


def keys(schema: Schema) -> list[str]:
    found = schema.get("primaryKey", [])
    return [found] if isinstance(found, str) else list(found)


def alone(schema: Schema) -> dict[str, Any]:
    """Without foreign keys to other tables: those can only be judged together with them."""
    keys = schema.get("foreignKeys")
    if not isinstance(keys, list):
        return dict(schema)
    own = [
        key for key in keys if not (isinstance(key, dict) and (key.get("reference") or {}).get("resource"))
    ]
    rest = {name: value for name, value in schema.items() if name != "foreignKeys"}
    return {**rest, "foreignKeys": own} if own else rest


def rules(schema: Schema, language: str) -> list[tuple[str, str]]:
    """The rules of whole rows: (what it asks, its formula or the check's name)."""
    found = []
    for check in schema.get("checks", []):
        described = {"type": check} if isinstance(check, str) else check
        formula = str(described.get("formula", ""))
        said = described.get("description" if language == "en" else "title")
        found.append((str(said or ""), formula or str(described["type"])))
    return found


def as_csv(schema: Schema) -> bytes:
    """The data dictionary: a line a field, in both languages. With a byte order mark: spreadsheets ask for it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_HEADER)
    for zh, en in zip(entries(schema, "zh"), entries(schema, "en"), strict=True):
        writer.writerow([safe(cell) for cell in _line(zh, en)])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


_HEADER = (
    "name", "中文名称", "English title", "说明", "description", "type", "required", "primary key", "unit", "codes", "code list",
    "limits", "checks", "national code", "aliases", "个人信息提示", "privacy note", "依据", "example",
)  # fmt: skip


def _line(zh: Entry, en: Entry) -> Iterator[str]:
    yield from (zh.name, zh.title, en.title, zh.description, en.description, zh.type)
    yield from (
        "yes" if zh.required else "",
        "yes" if zh.key else "",
        zh.unit,
        "、".join(zh.codes),
        zh.code_list,
    )
    yield from (zh.limits, " ".join(zh.checks), zh.national_code, "、".join(zh.aliases))
    yield from (zh.privacy, en.privacy, zh.privacy_basis, zh.example)


def safe(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "@", "\t", "\r") else cell


def _entry(field: Schema, key: list[str], language: str) -> Entry:
    constraints = field.get("constraints", {})
    listed = [str(value) for value in constraints.get("enum", [])]
    return Entry(
        name=str(field["name"]),
        title=text(field, "title", language),
        description=text(field, "description", language),
        type=str(field.get("type", "any")),
        required=bool(constraints.get("required")) or field["name"] in key,
        key=field["name"] in key,
        unit=str(field.get("x-unit", "")),
        codes=tuple(listed[:LONGEST_LIST]),
        code_list=_list_name(str(field.get("x-codelist", "")), language),
        limits=", ".join(
            f"{name} {constraints[name]}"
            for name in ("minLength", "maxLength", "minimum", "maximum", "pattern", "unique")
            if name in constraints
        ),
        checks=tuple(
            check if isinstance(check, str) else str(check["type"]) for check in field.get("checks", [])
        ),
        national_code=str(field.get("x-national-code", "")),
        aliases=tuple(field.get("x-aliases", [])),
        privacy=text(field, "x-privacy", language),
        privacy_basis=str(field.get("x-privacy-basis", "")),
        example=str(field.get("example", "")),
    )


def _list_name(name: str, language: str) -> str:
    known = codes().lists.get(name)
    if known is None:
        return name
    return f"{known.title_en if language == 'en' else known.title} ({known.edition})"
