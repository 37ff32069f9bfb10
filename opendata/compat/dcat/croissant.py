"""Croissant 1.0 (MLCommons): a dataset with tables as programs for machine learning load it, columns and all.

Rows are read from our own dump of the table: UTF-8, a comma, the names of the columns as here, whatever the file is. It changes
when the table does, so the dataset is called a live one; the files as they were handed in stand beside it with their hashes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from opendata.access.policy import is_data_public
from opendata.catalog.codes import codes, vocabulary
from opendata.catalog.views import ResourceView
from opendata.feeds.graph import clean, stamp, web_address
from opendata.feeds.mapping import data_modified, modified
from opendata.feeds.reading import Record
from opendata.feeds.terms import Site
from opendata.search.documents import Columns

CONTEXT: Mapping[str, Any] = {
    "@language": "zh", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs", "column": "cr:column",
    "conformsTo": "dct:conformsTo", "cr": "http://mlcommons.org/croissant/", "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"}, "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/", "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract", "field": "cr:field",
    "fileProperty": "cr:fileProperty", "fileObject": "cr:fileObject", "fileSet": "cr:fileSet", "format": "cr:format",
    "includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath", "key": "cr:key",
    "md5": "cr:md5", "parentField": "cr:parentField", "path": "cr:path", "recordSet": "cr:recordSet",
    "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated", "replace": "cr:replace",
    "samplingRate": "cr:samplingRate", "sc": "https://schema.org/", "separator": "cr:separator", "source": "cr:source",
    "subField": "cr:subField", "transform": "cr:transform",
}  # fmt: skip
"""As the specification gives it: readers compare it."""
TYPES = {
    "integer": "sc:Integer",
    "year": "sc:Integer",
    "number": "sc:Float",
    "boolean": "sc:Boolean",
    "date": "sc:Date",
    "datetime": "sc:DateTime",
}
"""By the type of a column; all others are texts."""


def croissant(record: Record, columns: Columns, site: Site) -> dict[str, Any] | None:
    """None for a dataset without tables, and for one of which the rows are not everybody's. `columns`: of its tables."""
    view, meta = record.view, record.view.meta
    tables = [
        resource for resource in view.resources if columns.get(resource.id) and resource.id in record.rows
    ]
    if not tables or not is_data_public(view):
        return None
    title, licence = clean(meta.title) or view.dataset.name, codes().licences.get(meta.licence)
    publisher = {"@type": "sc:Organization", "name": clean(view.agency.title or view.agency.name)}
    found = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "@id": site.dataset(view.id),
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": title,
        "description": clean(meta.description) or title,
        "url": site.page("zh", view.dataset.name),
        "license": ((licence.url or licence.eu_uri) if licence else web_address(meta.licence)) or "",
        "keywords": [clean(word) for word in record.words],
        "inLanguage": list(meta.language),
        "creator": publisher,
        "publisher": publisher,
        "datePublished": stamp(view.dataset.first_published_at or modified(view)),
        "dateModified": data_modified(view).value,
        "version": f"{view.release.number}.0.0",
        "citeAs": f"{publisher['name']}: {title}. {site.page('zh', view.dataset.name)}",
        "isLiveDataset": True,
        "distribution": [file for resource in tables for file in _files(resource, site)],
        "recordSet": [_record_set(resource, columns[resource.id]) for resource in tables],
    }
    return {name: value for name, value in found.items() if value not in ("", [], None)}


def _files(resource: ResourceView, site: Site) -> Iterator[dict[str, Any]]:
    yield {
        "@type": "cr:FileObject",
        "@id": f"rows-{resource.id}",
        "name": f"rows-{resource.id}.csv",
        "contentUrl": f"{site.url}/datastore/dump/{resource.id}",
        "encodingFormat": "text/csv",
    }
    if (file := resource.file) is not None:
        words = vocabulary()
        kind = words.media_type(file.media_type, words.file_type(resource.meta.format)) or file.media_type
        yield {
            "@type": "cr:FileObject",
            "@id": f"file-{resource.id}",
            "name": clean(file.name),
            "contentUrl": site.download(resource.id),
            "contentSize": f"{file.size} B",
            "encodingFormat": kind,
            "sha256": file.sha256,
        }


def _record_set(resource: ResourceView, columns: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": f"table-{resource.id}",
        "name": clean(resource.meta.name) or resource.id,
        "field": [_field(resource.id, column) for column in columns],
    }


def _field(resource_id: str, column: Mapping[str, Any]) -> dict[str, Any]:
    name, title = str(column["name"]), clean(str(column.get("title") or ""))
    found = {
        "@type": "cr:Field",
        "@id": f"table-{resource_id}/{clean(name)}",
        "name": clean(name),
        "dataType": TYPES.get(str(column.get("type")), "sc:Text"),
        "source": {"fileObject": {"@id": f"rows-{resource_id}"}, "extract": {"column": name}},
    }
    return found | ({"description": title} if title and title != name else {})
