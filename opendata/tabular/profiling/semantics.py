"""What the values of a column mean, by their form and by its header."""

from __future__ import annotations

import re

import polars as pl

SHARE = 0.9
"""Of the filled cells of a sample, how many must have the form."""
LOOKED_AT = 1000
CATEGORIES = 50
_FORMS = {
    "resident_id": r"^[1-9]\d{5}(19|20)\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])\d{3}[\dXx]$",
    "uscc": r"^[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}$",
    "mobile": r"^(\+?86)?1[3-9]\d{9}$",
    "telephone": r"^(\(?0\d{2,3}\)?-?)?\d{7,8}(-\d{1,5})?$",
    "email": r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$",
    "url": r"^https?://\S+$",
    "plate": r"^[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][A-Z0-9]{4,5}[A-Z0-9挂学警港澳]$",
    "region_code": r"^[1-9]\d{5}(\d{3}|\d{6})?$",
    "year": r"^(19|20)\d\d年?$",
}
_HEADERS = {
    "telephone": "电话|phone|tel|传真|fax",
    "region_code": "区划|行政区|地区代码|area.?code|region|^code$|adcode",
    "year": "年|year",
    "uscc": "",
}
_MATCHES = {form: pl.col("cell").str.contains(pattern).sum().alias(form) for form, pattern in _FORMS.items()}
_WORDS = (
    ("person_name", r"姓名|联系人|法定代表人|负责人|申请人|^(contact|person)?_?name_of_person$|full_?name"),
    ("address", r"地址|住址|住所|address"),
    ("longitude", r"经度|^(lng|lon|long|longitude)$"),
    ("latitude", r"纬度|^(lat|latitude)$"),
    ("money", r"金额|价格|单价|总价|费用|amount|price"),
    ("percentage", r"比例|占比|百分比|率$|percent|ratio"),
)  # fmt: skip
_NUMERIC = frozenset(("longitude", "latitude", "money", "percentage"))


def of(name: str, kind: str, cells: pl.Series, distinct: int) -> str:
    """One of the forms and words above; else `category` (few values), `identifier` (each its own), the type for what is no text,
    `text`. `cells`: some of the column's filled ones; `distinct`: how many values the whole column has."""
    looked = cells.head(LOOKED_AT)
    header = name.strip().lower()
    if not looked.len():
        return "empty"
    form = _form(looked, header)
    if form:
        return form
    for word, pattern in _WORDS:
        if re.search(pattern, header) and (word not in _NUMERIC or kind in ("integer", "number")):
            return word
    if kind != "string":
        return kind
    if distinct <= CATEGORIES and distinct * 2 <= cells.len():
        return "category"
    return "identifier" if looked.n_unique() == looked.len() and looked.len() > 1 else "text"


def _form(cells: pl.Series, header: str) -> str | None:
    """All are asked for at once: each question of its own costs more than its answer."""
    asked = [form for form in _FORMS if re.search(_HEADERS.get(form, ""), header)]
    stripped = cells.alias("cell").to_frame().select(pl.col("cell").str.strip_chars())
    counts = stripped.select([_MATCHES[form] for form in asked]).row(0)
    return next((form for form, n in zip(asked, counts, strict=True) if n / cells.len() >= SHARE), None)
