"""Which kinds of source there are: what a source says its `kind` is, and which module speaks it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pydantic import BaseModel

from opendata.harvest.record import Gather, Open
from opendata.harvest.remotes import (
    ckan,
    database,
    datajson,
    dcat,
    folder,
    oai,
    portal_json,
    schema_org,
    workbook,
)


class Kind(NamedTuple):
    gather: Gather
    options: type[BaseModel]
    """What an administrator may set; `extra="forbid"`, each field with a description."""
    is_web: bool = True
    """Its address is one of the web."""
    open: Open | None = None
    """Of a kind whose files have no address of their own."""


KINDS: Mapping[str, Kind] = {
    "ckan": Kind(ckan.gather, ckan.Options),
    "database": Kind(database.gather, database.Options, is_web=False, open=database.open_rows),
    "datajson": Kind(datajson.gather, datajson.Options),
    "dcat": Kind(dcat.gather, dcat.Options),
    "folder": Kind(folder.gather, folder.Options, is_web=False, open=folder.open_file),
    "oai": Kind(oai.gather, oai.Options),
    "portal-json": Kind(portal_json.gather, portal_json.Options),
    "schema-org": Kind(schema_org.gather, schema_org.Options),
    "workbook": Kind(workbook.gather, workbook.Options),
}
