"""Which column is which field of a schema, in whatever language or list of codes its header speaks, and so what it is called.

The loader and the validator both ask here, so a table's columns are those that were judged.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]
_BRACKETS = re.compile(r"[(（\[【].*?[)）\]】]")
_SIGNS = re.compile(r"[\s_\-:：*·./、]+")
_KINDS = (
    ("name", "name"),
    ("title", "title"),
    ("x-national-code", "national_code"),
    ("x-title-en", "title_en"),
)


@dataclass(frozen=True)
class Mapped:
    """A column of the file and the field that it is."""

    column: str
    field: str
    by: str
    """name, title, title_en, national_code or alias; `loosely` when only a remark in brackets differs"""


def map_columns(schema: Schema, header: Sequence[str]) -> list[Mapped]:
    """Each column with the field it is, by the surest reading; a field is given to one column only."""
    names = _names(schema)
    loose = {
        plain(_BRACKETS.sub("", known)): found for known, found in names.items() if _BRACKETS.search(known)
    }
    # Reversed: where two names are plainly the same, the surer one, which comes first, stays.
    exact = {plain(known): found for known, found in reversed(names.items())}
    own = {name for name, (field, by) in names.items() if by == "name" and name == field}
    found = {column: Mapped(column, column, "name") for column in header if column in own}
    taken = set(found)
    for strict in (True, False):
        for column in header:
            if column in found:
                continue
            key = plain(column if strict else _BRACKETS.sub("", column))
            known = exact.get(key) or (None if strict else loose.get(key))
            if key and known is not None and known[0] not in taken:
                taken.add(known[0])
                found[column] = Mapped(column, known[0], known[1] if strict else "loosely")
    order = {column: place for place, column in reversed(list(enumerate(header)))}
    return sorted(found.values(), key=lambda one: order[one.column])


def called(columns: Sequence[str], schema: Schema, own: Collection[str] = ()) -> tuple[str, ...]:
    """The columns by the names of the schema's fields; one that the schema does not know, or that is of its `own`, keeps its
    name. A repeated header is the field at its first place only."""
    left = {one.column: one.field for one in map_columns(schema, [c for c in columns if c not in own])}
    return tuple(left.pop(column, column) for column in columns)


def fields_of(columns: Sequence[str], schema: Schema) -> list[dict[str, Any]]:
    """The field of each column, by what it is `called`. Where no column has the name of a field and the counts agree, by
    place. Otherwise what the schema does not know is text. A blank or repeated column is `field<place>`, as frictionless
    says, so the names are those of a table."""
    described = [
        dict(item) for item in schema.get("fields", []) if isinstance(item, Mapping) and item.get("name")
    ]
    known = {str(item["name"]): item for item in described}
    if described and len(described) == len(columns) and not known.keys() & set(columns):
        return described
    fields: list[dict[str, Any]] = []
    seen: set[str] = set()
    for place, column in enumerate(columns, start=1):
        name = column if column.strip() and column not in seen else f"field{place}"
        while name in seen or (name != column and name in columns):
            name += "_"
        seen.add(name)
        fields.append(known.get(name, {"name": name, "type": "string"}))
    return fields


def plain(label: str) -> str:
    """A header's text without what people write differently: width, case, blanks, hyphens."""
    return _SIGNS.sub("", unicodedata.normalize("NFKC", label)).casefold()


def _names(schema: Schema) -> dict[str, tuple[str, str]]:
    """{what a field may be called: (field, by)}; a surer name wins over a less sure one."""
    found: dict[str, tuple[str, str]] = {}
    fields = [field for field in schema.get("fields", []) if isinstance(field, Mapping) and field.get("name")]
    for key, by in _KINDS:
        for field in fields:
            if field.get(key):
                found.setdefault(str(field[key]), (str(field["name"]), by))
    for field in fields:
        aliases = field.get("x-aliases")
        for alias in aliases if isinstance(aliases, list) else []:
            found.setdefault(str(alias), (str(field["name"]), "alias"))
    return found
