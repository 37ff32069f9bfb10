"""The XML of an answer: the envelope, headers, and a record in Dublin Core or as DCAT-AP."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from urllib.parse import urlsplit
from xml.sax.saxutils import escape, quoteattr

from opendata.catalog.codes import codes, vocabulary
from opendata.compat.oai.asking import AGENCY
from opendata.compat.oai.listing import Header
from opendata.feeds import described, writers
from opendata.feeds.graph import clean, stamp
from opendata.feeds.mapping import data_modified
from opendata.feeds.reading import Record
from opendata.feeds.terms import Site

OAI = "http://www.openarchives.org/OAI/2.0/"
DC = OAI + "oai_dc/"
FORMATS = {
    "oai_dc": ("http://www.openarchives.org/OAI/2.0/oai_dc.xsd", DC),
    "dcat": ("http://www.openarchives.org/OAI/2.0/rdf.xsd", "http://www.w3.org/ns/dcat#"),
}
"""By prefix: the address of the schema, and the namespace."""
_XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation='


def envelope(site: Site, at: datetime, asked: Iterable[tuple[str, str]], body: str) -> bytes:
    """`asked`: the arguments as they came; none where they could not be understood, as the protocol wants it."""
    attributes = "".join(f" {name}={quoteattr(clean(value))}" for name, value in asked)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<OAI-PMH xmlns="{OAI}" {_XSI}"{OAI} {OAI}OAI-PMH.xsd">\n'
        f"<responseDate>{stamp(at)}</responseDate>\n<request{attributes}>{_xml(address(site))}</request>\n"
        f"{body}\n</OAI-PMH>\n"
    ).encode()


def address(site: Site) -> str:
    return f"{site.url}/oai"


def error(code: str, text: str) -> str:
    return f'<error code="{code}">{_xml(text)}</error>'


def identifier(site: Site, dataset_id: str) -> str:
    return f"oai:{urlsplit(site.url).hostname}:{dataset_id}"


def identify(site: Site, email: str, earliest: datetime) -> str:
    return (
        f"<Identify><repositoryName>{_xml(site.title)}</repositoryName><baseURL>{_xml(address(site))}</baseURL>"
        f"<protocolVersion>2.0</protocolVersion><adminEmail>{_xml(email)}</adminEmail>"
        f"<earliestDatestamp>{stamp(earliest)}</earliestDatestamp><deletedRecord>persistent</deletedRecord>"
        "<granularity>YYYY-MM-DDThh:mm:ssZ</granularity></Identify>"
    )


def formats() -> str:
    entries = (
        f"<metadataFormat><metadataPrefix>{prefix}</metadataPrefix><schema>{schema}</schema>"
        f"<metadataNamespace>{namespace}</metadataNamespace></metadataFormat>"
        for prefix, (schema, namespace) in FORMATS.items()
    )
    return f"<ListMetadataFormats>{''.join(entries)}</ListMetadataFormats>"


def sets(bodies: Iterable[tuple[str, str]]) -> str:
    """Of (name, title) of bodies."""
    entries = (
        f"<set><setSpec>{AGENCY}{_xml(name)}</setSpec><setName>{_xml(title or name)}</setName></set>"
        for name, title in bodies
    )
    return f"<ListSets>{''.join(entries)}</ListSets>"


def header(site: Site, found: Header) -> str:
    status = ' status="deleted"' if found.deleted else ""
    return (
        f"<header{status}><identifier>{_xml(identifier(site, found.id))}</identifier>"
        f"<datestamp>{stamp(found.at)}</datestamp><setSpec>{AGENCY}{_xml(found.agency)}</setSpec></header>"
    )


def record(site: Site, found: Header, told: Record | None, prefix: str) -> str:
    """`told`: what is known of a dataset that is public; a deleted record has a header alone."""
    if told is None:
        return f"<record>{header(site, found)}</record>"
    body = _dublin_core(site, told) if prefix == "oai_dc" else _dcat(site, told)
    return f"<record>{header(site, found)}<metadata>{body}</metadata></record>"


def token(value: str, cursor: int, size: int) -> str:
    """`value`: empty at the end of a list that had a token."""
    return f'<resumptionToken completeListSize="{size}" cursor="{cursor}">{value}</resumptionToken>'


def _dcat(site: Site, told: Record) -> str:
    text = writers.rdf_xml(described.single(told, site)).decode()
    return text.partition("?>\n")[2]


def _dublin_core(site: Site, told: Record) -> str:
    lines = "".join(
        f"<dc:{name}{f' xml:lang={quoteattr(language)}' if language else ''}>{_xml(value)}</dc:{name}>\n"
        for name, value, language in _elements(site, told)
        if clean(value).strip()
    )
    names = f'xmlns:oai_dc="{DC}" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    return f'<oai_dc:dc {names} {_XSI}"{DC} {FORMATS["oai_dc"][0]}">\n{lines}</oai_dc:dc>'


def _elements(site: Site, told: Record) -> Iterator[tuple[str, str, str]]:
    """(element, value, language)."""
    view, meta, known = told.view, told.view.meta, codes()
    yield from (("title", meta.title or view.dataset.name, "zh"), ("title", meta.title_en, "en"))
    for name in ("creator", "publisher"):
        yield name, view.agency.title or view.agency.name, "zh"
    yield from (("subject", word, "") for word in told.words)
    yield from (("subject", known.themes[code].title, "zh") for code in meta.themes if code in known.themes)
    yield from (("description", meta.description, "zh"), ("description", meta.description_en, "en"))
    yield "date", data_modified(view).value, ""
    yield "type", "Dataset", ""
    for kind in dict.fromkeys(_kinds(told)):
        yield "format", kind, ""
    yield from (
        ("identifier", site.dataset(view.id), ""),
        ("identifier", site.page("zh", view.dataset.name), ""),
    )
    yield from (("language", code, "") for code in meta.language)
    yield from (("relation", code, "") for code in meta.related_codes)
    region = meta.region or view.agency.region_code
    yield "coverage", known.regions.get(region, region), ""
    if meta.temporal_start and meta.temporal_end:
        yield "coverage", f"{meta.temporal_start.isoformat()}/{meta.temporal_end.isoformat()}", ""
    licence = known.licences.get(meta.licence)
    yield "rights", (licence.url or licence.title_en) if licence else meta.licence, ""
    yield "rights", meta.open_condition, "zh"


def _kinds(told: Record) -> Iterator[str]:
    words = vocabulary()
    for resource in told.view.resources:
        claimed = resource.file.media_type if resource.file else resource.meta.media_type
        if kind := words.media_type(claimed, words.file_type(resource.meta.format)):
            yield kind


def _xml(value: str) -> str:
    return escape(clean(value))
