"""What a map may say of a record: facts of its public face by name, whatever the target calls them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from opendata.access.policy import is_data_public
from opendata.catalog.codes import codes, vocabulary
from opendata.catalog.queries import LineRow
from opendata.catalog.views import DatasetView, ResourceView
from opendata.core.clock import BEIJING
from opendata.harvest.running.fitting import ORIGIN

FACTS = {
    "identifier": "Ours: it stays the same over all releases",
    "name": "Short name in addresses",
    "title": "信息资源名称",
    "title_en": "",
    "description": "信息资源摘要",
    "description_en": "",
    "keywords": "关键字, a list",
    "themes": "Codes of themes, a list",
    "theme_titles": "Their Chinese titles, a list",
    "domain": "重点领域, a code",
    "disclosures": "五公开, a list of codes",
    "licence": "Id of the licence",
    "licence_title": "使用协议",
    "licence_url": "",
    "openness": "开放属性, a code",
    "openness_title": "Its Chinese label",
    "open_condition": "开放条件",
    "update_cycle": "更新周期, a code",
    "update_cycle_title": "Its Chinese label",
    "region": "GB/T 2260",
    "bbox": "空间范围: west, south, east, north",
    "temporal_start": "First day covered",
    "temporal_end": "Last day covered",
    "data_updated_on": "数据更新时间, a day",
    "language": "A list",
    "version": "",
    "landing_page": "A page about it elsewhere",
    "contact_name": "联系人",
    "contact_phone": "联系电话",
    "contact_email": "电子邮箱",
    "agency": "Short name of the body",
    "agency_title": "信息资源提供方",
    "agency_uscc": "信息资源提供方代码",
    "agency_region": "GB/T 2260",
    "resource_code": "信息资源代码: of the first inventory line that it opens",
    "resource_codes": "All of them, a list",
    "related_codes": "关联资源代码, a list",
    "page": "Its page on our portal",
    "origin": "Where it was first published: elsewhere, if it was harvested, else our page",
    "published_on": "发布日期, a day in Beijing",
    "published_at": "2026-11-23 10:00:00, in Beijing",
    "published_ms": "Milliseconds since 1970, a number",
    "number": "Of the release, a number",
    "content_hash": "SHA-256 over metadata and files",
    "formats": "Of its files, a list",
    "resources": "Its files and links",
    "columns": "信息项: the columns of its tables",
}
"""By name, with what it is. Lists and numbers say so; all else is text. Where nothing is known it is empty, or null for a day and a box."""
LISTS: dict[str, tuple[str, ...]] = {
    "resources": (
        "id", "name", "name_en", "description", "description_en", "format", "media_type", "url", "size", "sha256",
    ),
    "columns": ("column", "column_title", "column_type", "column_description"),
}  # fmt: skip
"""Facts of each entry of a list, for `$each`."""


def of(view: DatasetView, lines: Iterable[LineRow], site_url: str) -> dict[str, Any]:
    meta, resources = view.meta, [_resource(view, one, site_url) for one in view.resources]
    resource_codes = [line.resource_code for line in lines if line.resource_code]
    page = f"{site_url}/zh/dataset/{view.dataset.name}"
    plain = (
        "title", "title_en", "description", "description_en", "keywords", "themes", "domain", "disclosures", "licence", "openness",
        "open_condition", "update_cycle", "region", "bbox", "temporal_start", "temporal_end", "data_updated_on", "language",
        "version", "landing_page", "related_codes",
    )  # fmt: skip
    written = meta.model_dump(mode="json", include=set(plain))
    return {
        **{name: written[name] for name in plain},
        **_words(view),
        **_body(view),
        **_times(view.release.published_at),
        "identifier": view.id,
        "name": view.dataset.name,
        "resource_code": resource_codes[0] if resource_codes else "",
        "resource_codes": resource_codes,
        "page": page,
        "origin": meta.extras.get(ORIGIN) or page,
        "number": view.release.number,
        "content_hash": view.release.content_hash or "",
        "formats": sorted({one["format"] for one in resources if one["format"]}),
        "resources": resources,
        "columns": list(_columns(view.resources)),
    }


def _words(view: DatasetView) -> dict[str, Any]:
    meta, known = view.meta, codes()
    licence = known.licences.get(meta.licence)
    return {
        "theme_titles": [known.themes[code].title for code in meta.themes if code in known.themes],
        "licence_title": licence.title if licence else meta.licence,
        "licence_url": licence.url if licence else "",
        "openness_title": known.label("openness", meta.openness.value, "zh"),
        "update_cycle_title": known.label("update_cycle", meta.update_cycle.value, "zh"),
    }


def _body(view: DatasetView) -> dict[str, Any]:
    contact, agency = view.contact, view.agency
    return {
        "contact_name": contact.name,
        "contact_phone": contact.phone,
        "contact_email": contact.email,
        "agency": agency.name,
        "agency_title": agency.title,
        "agency_uscc": agency.uscc or "",
        "agency_region": agency.region_code,
    }


def _times(at: datetime | None) -> dict[str, Any]:
    there = at.astimezone(BEIJING) if at else None
    return {
        "published_on": there.date().isoformat() if there else "",
        "published_at": there.strftime("%Y-%m-%d %H:%M:%S") if there else "",
        "published_ms": int(there.timestamp() * 1000) if there else 0,
    }


def _resource(view: DatasetView, resource: ResourceView, site_url: str) -> dict[str, Any]:
    meta, file = resource.meta, resource.file
    url = f"{site_url}/api/v1/resources/{resource.id}/download" if file else meta.url
    shown = is_data_public(view)
    return {
        "id": resource.id,
        "name": meta.name or (file.name if file else ""),
        "name_en": meta.name_en,
        "description": meta.description,
        "description_en": meta.description_en,
        "format": vocabulary().customary(
            (meta.format or (file.name.rpartition(".")[2] if file else "")).upper()
        ),
        "media_type": file.media_type if file else meta.media_type,
        # Where one has to apply first, that is where one gets it.
        "url": url if shown else f"{site_url}/zh/dataset/{view.dataset.name}#{resource.id}",
        "size": file.size if file and shown else None,
        "sha256": file.sha256 if file and shown else "",
    }


def _columns(resources: Iterable[ResourceView]) -> Iterator[dict[str, Any]]:
    """As the tables' schemas name them, each once."""
    seen: set[str] = set()
    for resource in resources:
        schema = resource.meta.table_schema or codes().table_schema(resource.meta.schema_name) or {}
        for field in schema.get("fields", ()):
            name = str(field.get("name", ""))
            if name and name not in seen:
                seen.add(name)
                yield {
                    "column": name,
                    "column_title": str(field.get("title") or name),
                    "column_type": str(field.get("type") or "string"),
                    "column_description": str(field.get("description") or ""),
                }
