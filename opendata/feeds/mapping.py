"""A dataset as DCAT-AP 3.0.1, by the mapping of the national elements (china.md 2.4). Each thing that is pointed at is
typed in the same graph: the range shapes see nothing outside of it."""

from __future__ import annotations

import re
from datetime import datetime

from opendata.access.policy import is_data_public
from opendata.agencies.models import Agency, AgencyKind
from opendata.catalog.codes import EU, IANA, codes, vocabulary
from opendata.catalog.profile import DatasetMeta, ResourceMeta
from opendata.catalog.views import DatasetView, ResourceView
from opendata.feeds.graph import (
    Graph,
    Iri,
    Term,
    Text,
    box,
    clean,
    day,
    mail_address,
    moment,
    number,
    phone_address,
    text,
    web_address,
)
from opendata.feeds.reading import Record
from opendata.feeds.terms import SHA256, Site
from opendata.inventory.models import Domain
from opendata.inventory.profile.fields import plain

PUBLISHER_TYPES = "http://purl.org/adms/publishertype/"
_REGION = re.compile(r"[0-9]{6}([0-9]{3}|[0-9]{6})?")


def dataset(graph: Graph, record: Record, site: Site) -> Iri:
    """All triples of one dataset. What has no place in a graph is left out and noted in `graph.left_out`."""
    view, meta = record.view, record.view.meta
    subject = Iri(site.dataset(view.id))
    if not graph.thing(subject, "dcat:Dataset", "dcat:Resource"):
        return subject
    graph.add(subject, "dct:identifier", text(view.id))
    title = text(meta.title, "zh") or text(view.dataset.name)
    graph.add(subject, "dct:title", title, text(meta.title_en, "en"))
    graph.add(subject, "dct:description", text(meta.description, "zh") or title)
    graph.add(subject, "dct:description", text(meta.description_en, "en"))
    graph.add(subject, "dcat:keyword", *(text(keyword, "zh") for keyword in record.words))
    graph.add(subject, "dct:publisher", agency(graph, view.agency, site))
    graph.add(subject, "dct:issued", moment(view.dataset.first_published_at or modified(view)))
    graph.add(subject, "dct:modified", data_modified(view))
    graph.add(subject, "dcat:version", text(meta.version) or text(str(view.release.number)))
    _pages(graph, subject, view, site)
    _coded(graph, subject, meta, site)
    _codes_of_lines(graph, subject, record)
    _related(graph, subject, meta, site)
    _coverage(graph, subject, view, site)
    _contact(graph, subject, view)
    _city_fields(graph, subject, record)
    for resource in view.resources:
        graph.add(subject, "dcat:distribution", _distribution(graph, record, resource, site))
    return subject


def modified(view: DatasetView) -> datetime:
    """When the public face changed last."""
    return view.release.published_at or view.release.updated_at


def data_modified(view: DatasetView) -> Text:
    """数据更新时间, a day; where the body does not tell it, when the public face changed. That is always in the record."""
    told = view.meta.data_updated_on
    return day(told) if told else moment(modified(view))


def agency(graph: Graph, body: Agency, site: Site) -> Iri:
    """The publishing body: names in both languages, and its unified social credit code."""
    subject = Iri(site.agency(body.id))
    if not graph.thing(subject, "foaf:Agent", "foaf:Organization"):
        return subject
    name = text(body.title, "zh") or text(body.name)
    graph.add(subject, "foaf:name", name, text(body.title_en, "en"))
    graph.add(subject, "dct:identifier", text(body.uscc or ""))
    kind = _publisher_type(body)
    if kind is not None:
        term = concept(graph, PUBLISHER_TYPES + kind[0], PUBLISHER_TYPES + "1.0", kind[1], kind[2])
        graph.add(subject, "dct:type", term)
        if graph.thing(PUBLISHER_TYPES + "1.0", "skos:ConceptScheme"):
            graph.add(PUBLISHER_TYPES + "1.0", "dct:title", text("ADMS publisher types", "en"))
    return subject


def concept(graph: Graph, address: str, scheme: str, zh: str, en: str) -> Iri:
    if graph.thing(address, "skos:Concept"):
        graph.add(address, "skos:prefLabel", text(zh, "zh"), text(en, "en"))
        graph.add(address, "skos:inScheme", Iri(scheme))
    return Iri(address)


def authority(graph: Graph, table: str, code: str, kind: str) -> Iri:
    """An entry of an EU authority table, typed as what it stands for."""
    address = f"{EU}{table}/{code}"
    if graph.thing(address, kind):
        graph.add(address, "skos:inScheme", Iri(EU + table))
    return Iri(address)


def document(graph: Graph, address: Iri) -> Iri:
    graph.thing(address, "foaf:Document")
    return address


def _publisher_type(body: Agency) -> tuple[str, str, str] | None:
    if body.kind == AgencyKind.PUBLIC_ENTERPRISE.value:
        return "Company", "企业", "Company"
    if body.kind != AgencyKind.GOVERNMENT_DEPARTMENT.value:
        return None
    if body.region_code.startswith("000000"):
        return "NationalAuthority", "国家机关", "National authority"
    if body.region_code[2:6] == "0000":
        return "RegionalAuthority", "省级机关", "Regional authority"
    return "LocalAuthority", "地方机关", "Local authority"


def _pages(graph: Graph, subject: Iri, view: DatasetView, site: Site) -> None:
    page = Iri(site.page("zh", view.dataset.name))
    graph.add(subject, "dcat:landingPage", document(graph, page))
    if view.meta.landing_page:
        elsewhere = web_address(view.meta.landing_page)
        if elsewhere is None:
            graph.leave_out(subject, "landing_page")
        else:
            graph.add(subject, "foaf:page", document(graph, elsewhere))


def _coded(graph: Graph, subject: Iri, meta: DatasetMeta, site: Site) -> None:
    """Fields that are codes of a list."""
    words = vocabulary()
    frequency = words.update_cycle.get(meta.update_cycle.value, "UNKNOWN")
    graph.add(subject, "dct:accrualPeriodicity", authority(graph, "frequency", frequency, "dct:Frequency"))
    access = words.openness.get(meta.openness.value, "NON_PUBLIC")
    graph.add(subject, "dct:accessRights", authority(graph, "access-right", access, "dct:RightsStatement"))
    for code in meta.language:
        if name := words.language.get(code.lower().partition("-")[0]):
            graph.add(subject, "dct:language", authority(graph, "language", name, "dct:LinguisticSystem"))
        else:
            graph.leave_out(subject, "language")
    for code in meta.themes:
        theme = codes().themes.get(code)
        if theme is None:
            graph.leave_out(subject, "themes")
            continue
        address = theme.eu_uri or site.term("theme", code)
        scheme = EU + "data-theme" if theme.eu_uri else site.term("scheme", "theme")
        graph.add(subject, "dcat:theme", concept(graph, address, scheme, theme.title, theme.title_en))
    local = [("domain", meta.domain.value)] if meta.domain is not Domain.OTHER else []
    for kind, code in [*local, *(("disclosure", disclosure.value) for disclosure in meta.disclosures)]:
        names = [codes().label(kind, code, language) for language in ("zh", "en")]
        term = concept(graph, site.term(kind, code), site.term("scheme", kind), *names)
        graph.add(subject, "dcat:theme", term)


def _codes_of_lines(graph: Graph, subject: Iri, record: Record) -> None:
    """信息资源代码: several where a dataset opens several lines, so beside the one `dct:identifier`."""
    for place, code in enumerate(record.codes, 1):
        node = Iri(f"{subject}#code-{place}")
        if graph.thing(node, "adms:Identifier"):
            graph.add(node, "skos:notation", text(code))
        graph.add(subject, "adms:identifier", node)


def _related(graph: Graph, subject: Iri, meta: DatasetMeta, site: Site) -> None:
    """关联资源代码: codes, which datasets here or elsewhere have as their `adms:identifier`."""
    for code in meta.related_codes:
        node = Iri(site.term("resource-code", code))
        if graph.thing(node, "rdfs:Resource"):
            graph.add(node, "dct:identifier", text(code))
        graph.add(subject, "dct:relation", node)


def _coverage(graph: Graph, subject: Iri, view: DatasetView, site: Site) -> None:
    region, meta = view.meta.region or view.agency.region_code, view.meta
    if _REGION.fullmatch(region):
        graph.add(subject, "dct:spatial", place(graph, region, site))
    elif region:
        graph.leave_out(subject, "region")
    if meta.bbox:
        area = Iri(f"{subject}#spatial")
        graph.thing(area, "dct:Location")
        graph.add(area, "dcat:bbox", box(*meta.bbox))
        graph.add(subject, "dct:spatial", area)
    if meta.temporal_start is None and meta.temporal_end is None:
        return
    if meta.temporal_start and meta.temporal_end and meta.temporal_start > meta.temporal_end:
        graph.leave_out(subject, "temporal")
        return
    period = Iri(f"{subject}#temporal")
    graph.thing(period, "dct:PeriodOfTime")
    graph.add(period, "dcat:startDate", day(meta.temporal_start) if meta.temporal_start else None)
    graph.add(period, "dcat:endDate", day(meta.temporal_end) if meta.temporal_end else None)
    graph.add(subject, "dct:temporal", period)


def place(graph: Graph, region: str, site: Site) -> Iri:
    """An administrative division by its GB/T 2260 code."""
    address = Iri(site.term("region", region))
    if graph.thing(address, "dct:Location"):
        graph.add(address, "dct:identifier", text(region))
        graph.add(address, "skos:prefLabel", text(codes().regions.get(region, ""), "zh"))
    return address


def _contact(graph: Graph, subject: Iri, view: DatasetView) -> None:
    contact, node = view.contact, Iri(f"{subject}#contact")
    graph.thing(node, "vcard:Kind", "vcard:Organization")
    graph.add(node, "vcard:fn", text(contact.name) or text(view.agency.name))
    for predicate, field, written, parse in (
        ("vcard:hasEmail", "contact_email", contact.email, mail_address),
        ("vcard:hasTelephone", "contact_phone", contact.phone, phone_address),
    ):
        if written:
            address = parse(written)
            graph.add(node, predicate, address)
            if address is None:
                graph.leave_out(subject, field)
    graph.add(subject, "dcat:contactPoint", node)


def _city_fields(graph: Graph, subject: Iri, record: Record) -> None:
    """The city's own fields, each with its name: DCAT has no place for them, schema.org has."""
    values = record.view.meta.city_fields
    for field in record.city:
        if field.name not in values:
            continue
        stated = Iri(f"{subject}#city-{field.name}")
        graph.thing(stated, "schema:PropertyValue")
        graph.add(stated, "schema:propertyID", text(field.name))
        graph.add(stated, "schema:name", text(field.label, "zh"), text(field.label_en, "en"))
        value = values[field.name]
        spoken = {field.shown(value, language): language for language in ("en", "zh")}
        coded = len(spoken) > 1 or next(iter(spoken)) != plain(value)
        graph.add(stated, "schema:value", *(text(said, spoken[said] if coded else "") for said in spoken))
        graph.add(subject, "schema:additionalProperty", stated)


def _distribution(graph: Graph, record: Record, resource: ResourceView, site: Site) -> Iri | None:
    """None (and noted) for a link that is no address: a distribution must say where it is."""
    view, meta = record.view, resource.meta
    subject = Iri(site.resource(view.id, resource.id))
    access = _access_address(view, resource, site)
    if access is None:
        graph.leave_out(subject, "url")
        return None
    graph.thing(subject, "dcat:Distribution")
    graph.add(subject, "dct:identifier", text(resource.id))
    graph.add(subject, "dct:title", text(meta.name, "zh"), text(meta.name_en, "en"))
    graph.add(subject, "dct:description", text(meta.description, "zh"), text(meta.description_en, "en"))
    graph.add(subject, "dcat:accessURL", access)
    graph.add(subject, "dct:issued", moment(resource.created_at))
    graph.add(subject, "dct:modified", moment(resource.updated_at))
    _format(graph, subject, resource)
    _rights(graph, subject, view, site)
    if resource.file is not None:
        graph.add(subject, "dcat:byteSize", number(resource.file.size))
    if is_data_public(view):
        _public_bytes(graph, subject, resource, site)
        if resource.id in record.rows:
            _rows(graph, subject, record, resource, site)
    if standard := _schema(record, meta, subject, site):
        if graph.thing(standard, "dct:Standard"):
            graph.add(standard, "dct:title", text(_schema_title(record, meta), "zh"))
        graph.add(subject, "dct:conformsTo", standard)
    return subject


def _access_address(view: DatasetView, resource: ResourceView, site: Site) -> Iri | None:
    """Where one gets it: the download or the link; the dataset's page where one has to apply first."""
    if not is_data_public(view):
        return Iri(site.page("zh", view.dataset.name))
    return Iri(site.download(resource.id)) if resource.file else web_address(resource.meta.url)


def _format(graph: Graph, subject: Iri, resource: ResourceView) -> None:
    file, words = resource.file, vocabulary()
    written = resource.meta.format or (file.name.rpartition(".")[2] if file else "")
    file_type = words.file_type(written)
    if file_type is not None:
        graph.add(subject, "dct:format", authority(graph, "file-type", file_type, "dct:MediaTypeOrExtent"))
    elif written:
        graph.leave_out(subject, "format")
    kind = words.media_type(file.media_type if file else resource.meta.media_type, file_type)
    if kind is not None:
        address = Iri(IANA + kind)
        graph.thing(address, "dct:MediaType")
        graph.add(subject, "dcat:mediaType", address)


def _rights(graph: Graph, subject: Iri, view: DatasetView, site: Site) -> None:
    meta = view.meta
    graph.add(subject, "dct:license", _licence(graph, meta.licence, site))
    condition = text(meta.open_condition, "zh")
    if condition is not None:
        statement = Iri(f"{site.dataset(view.id)}#rights")
        if graph.thing(statement, "dct:RightsStatement"):
            graph.add(statement, "rdfs:label", condition)
    else:
        statement = Iri(site.term("rights", meta.openness.value))
        if graph.thing(statement, "dct:RightsStatement"):
            labels = [text(codes().label("openness", meta.openness.value, x), x) for x in ("zh", "en")]
            graph.add(statement, "rdfs:label", *labels)
    graph.add(subject, "dct:rights", statement)
    available = EU + "planned-availability/AVAILABLE"
    scheme = EU + "planned-availability"
    graph.add(subject, "dcatap:availability", concept(graph, available, scheme, "可用", "available"))


def _licence(graph: Graph, licence_id: str, site: Site) -> Iri | None:
    """The EU table's entry, else the licence's own address, else a local one with its title."""
    if not licence_id:
        return None
    known = codes().licences.get(licence_id)
    address: str | None = (known.eu_uri or known.url) if known else web_address(licence_id)
    address = address or site.term("licence", licence_id)
    if graph.thing(address, "dct:LicenseDocument"):
        titles: tuple[Term | None, ...] = (text(licence_id),)
        if known:
            titles = (text(known.title, "zh"), text(known.title_en, "en"))
        graph.add(address, "dct:title", *titles)
        graph.add(address, "skos:inScheme", Iri(EU + "licence") if known and known.eu_uri else None)
    return Iri(address)


def _public_bytes(graph: Graph, subject: Iri, resource: ResourceView, site: Site) -> None:
    if resource.file is None:
        return
    graph.add(subject, "dcat:downloadURL", Iri(site.download(resource.id)))
    checksum = Iri(f"{subject}#checksum")
    graph.thing(checksum, "spdx:Checksum")
    graph.thing(SHA256, "spdx:ChecksumAlgorithm")
    graph.add(checksum, "spdx:algorithm", SHA256)
    value = text(resource.file.sha256)
    graph.add(checksum, "spdx:checksumValue", value and value._replace(datatype="xsd:hexBinary"))
    graph.add(subject, "spdx:checksum", checksum)


def _rows(graph: Graph, subject: Iri, record: Record, resource: ResourceView, site: Site) -> None:
    """The row API of a table, as a service."""
    count = record.rows[resource.id]
    graph.add(subject, "void:entities", number(count) if count is not None else None)
    service = Iri(f"{subject}#rows")
    graph.thing(service, "dcat:DataService")
    name = resource.meta.name or record.view.meta.title
    graph.add(service, "dct:title", text(f"{name} 数据接口", "zh"), text("Row API", "en"))
    graph.add(service, "dcat:endpointURL", Iri(site.rows(resource.id)))
    graph.add(service, "dcat:endpointDescription", Iri(f"{site.url}/api/v1/openapi.json"))
    dataset_address = Iri(site.dataset(record.view.id))
    graph.add(service, "dcat:servesDataset", dataset_address)
    graph.add(service, "dct:publisher", Iri(site.agency(record.view.agency.id)))
    graph.add(service, "dcat:contactPoint", Iri(f"{dataset_address}#contact"))
    graph.add(subject, "dcat:accessService", service)


def _schema(record: Record, meta: ResourceMeta, subject: Iri, site: Site) -> Iri | None:
    if meta.schema_name in record.schemas:
        return Iri(site.schema(meta.schema_name))
    return Iri(f"{subject}#schema") if meta.table_schema else None


def _schema_title(record: Record, meta: ResourceMeta) -> str:
    schema = record.schemas.get(meta.schema_name) or meta.table_schema or {}
    title = schema.get("title")
    return clean(title) if isinstance(title, str) and title.strip() else (meta.schema_name or "表结构")
