"""An inventory kept as a workbook (or CSV) on the web, by the template `resource_inventory`: each open line is a dataset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field

from opendata.core.errors import Invalid
from opendata.harvest.reading import building, paging, words
from opendata.harvest.record import Asking, Record, Refused, RemoteResource, SourceBroken
from opendata.inventory.models import Openness
from opendata.inventory.transfer.lines import ReadLine, read_lines
from opendata.inventory.transfer.reading import of_table
from opendata.inventory.transfer.template import fold

TASK = "opendata.inventory.transfer.tasks:read"
ACCEPT = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet, text/csv;q=0.9, */*;q=0.5"
_LINKS = ("url", "link", "链接", "网址", "数据链接", "访问地址", "下载地址", "资源地址", "详情页网址")
"""Headers of a column that leads to a line's data, which the template has none for."""
_TYPES = {"N": "number", "Y": "number", "B": "number", "F": "number", "I": "integer", "D": "date", "T": "datetime", "L": "boolean"}  # fmt: skip
"""Table Schema's type of an item's; the others are texts."""
_SAME = ("update_cycle", "openness", "open_condition", "domain", "related_codes")
EVERY = 100


class Options(BaseModel):
    """What an administrator may set for a source of this kind."""

    model_config = ConfigDict(extra="forbid")

    link_column: str = Field("", max_length=100, description="Header of the column with the data's addresses")


def gather(asking: Asking) -> Iterator[Record | Refused]:
    options = Options.model_validate(asking.options)
    page = asking.get(asking.url, accept=ACCEPT)
    paging.refuse_html(page)
    name = unquote(PurePosixPath(urlsplit(page.url).path).name) or "list"
    table = asking.parse(TASK, page.body, name=name)
    try:
        found = of_table(name, table)
    except Invalid:
        raise paging.foreign(page, "no column 信息资源名称") from None
    links = _links(table, options.link_column)
    seen = 0
    for seen, line in enumerate(read_lines(found.rows, None), start=1):
        if seen % EVERY == 0:
            asking.progress(seen)
        yield _record(line, links, page.url)
    asking.progress(seen, seen)
    if not seen:
        raise SourceBroken("harvest_empty", address=page.url[:200])


def _links(table: Mapping[str, Any], header: str) -> Mapping[int, str]:
    """{row number: address}"""
    wanted = {fold(header)} if header else {fold(one) for one in _LINKS}
    place = next((at for at, text in enumerate(table["header"]) if fold(text) in wanted), None)
    if place is None:
        return {}
    return {number: cells[place] for number, cells in table["rows"] if place < len(cells) and cells[place]}


def _record(line: ReadLine, links: Mapping[int, str], base: str) -> Record | Refused:
    """A line that is marked as secret leaves no trace of what it says; one that is not open is none of the catalogue's."""
    if line.secret:
        return Refused("secret_never_entered", "", {"row": line.rows[0].number})
    identifier = line.code or line.title
    if line.fields.get("openness") == Openness.CLOSED.value and identifier:
        return Record(identifier, deleted=True)
    given = line.fields
    fields = {
        **{name: given[name] for name in _SAME if name in given},
        "title": line.title,
        "description": given.get("abstract", ""),
        "region": given.get("region_code", ""),
        "extras": {"resource_codes": line.code} if line.code else {},
    }
    links_of_line = [links[row.number] for row in line.rows if row.number in links]
    resources = [_resource(line, address, base) for address in dict.fromkeys(links_of_line)]
    made = building.record(identifier, fields, resources)
    if isinstance(made, Refused) or not line.wrong:
        return made
    wrong = {one.column for one in line.wrong if one.column}
    return building.noting(made, wrong)


def _resource(line: ReadLine, address: str, base: str) -> RemoteResource:
    """With the line's items as columns, where the data lies in one place."""
    items = [one for one in line.fields.get("items", []) if one.get("name")]
    columns = [{"name": one["name"], "type": _TYPES.get(one.get("type", ""), "string")} for one in items]
    fields = {
        "name": line.title,
        "format": words.file_format(str(line.fields.get("format_type", "")).upper()),
        "url": address,
        "schema": {"fields": columns} if columns else None,
    }
    return building.resource(fields, base)
