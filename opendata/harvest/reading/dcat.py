"""A dataset of DCAT or DCAT-AP as a record: the way back of the feeds' mapping (china.md 2.4).

It reads the trees of `sandboxed.rdf`. What a catalogue of our own says comes back as it was; of foreign ones the words are
looked up (`words`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from opendata.catalog.codes import codes
from opendata.harvest.reading import building, cleaning, words
from opendata.harvest.record import Record, Refused, RemoteResource

Tree = dict[str, Any]
_MARKS = ("#rights",)
"""Of a statement that is the dataset's own condition; others name the openness in words."""


def record(tree: Tree, base: str) -> Record | Refused:
    """The dataset's identifier is its one `dct:identifier`, which survives a move of its site, else its address."""
    told = list(dict.fromkeys(_texts(tree, "dct:identifier")))
    identifier = told[0] if len(told) == 1 else tree["id"]
    page = cleaning.address(next(_addresses(tree, "dcat:landingPage"), "") or tree["id"], base)
    about = tree.get("record")
    changed = _text(about, "dct:modified") if about else _text(tree, "dct:modified")
    return building.record(
        identifier,
        _fields(tree),
        [_resource(one, base) for one in _things(tree, "dcat:distribution")],
        page=page,
        name=cleaning.short_name(cleaning.name_at(tree["id"]), cleaning.name_at(page, tree["id"], base)),
        modified=cleaning.moment(changed),
        origin=next(_addresses(about, "dct:source"), "") if about else "",
    )


def _fields(tree: Tree) -> dict[str, Any]:
    distributions = _things(tree, "dcat:distribution")
    return {
        **_described(tree),
        "keywords": words.keywords(_texts(tree, "dcat:keyword")),
        **_themes(tree),
        "licence": words.licence(*(text for one in (*distributions, tree) for text in _licence(one))),
        "openness": words.openness(*_said(tree, "dct:accessRights")),
        "open_condition": _condition(distributions),
        "update_cycle": words.update_cycle(*_said(tree, "dct:accrualPeriodicity")),
        "language": words.languages(_said(tree, "dct:language")),
        **_coverage(tree),
        **_contact(tree),
        "data_updated_on": _data_updated(tree),
        "related_codes": _texts_below(tree, "dct:relation", "dct:identifier"),
        "landing_page": next(
            (found for a in _addresses(tree, "foaf:page") if (found := cleaning.address(a))), ""
        ),
        "version": _text(tree, "dcat:version")
        or _text(tree, "owl:versionInfo")
        or _text(tree, "adms:version"),
        "author": next(iter(_names(tree, "dct:creator") or _names(tree, "dct:publisher")), ""),
        "extras": _extras(tree),
    }


def _described(tree: Tree) -> dict[str, str]:
    """Title and description in both languages. A text in neither is taken for the first."""
    found: dict[str, str] = {}
    for name, predicates in (
        ("title", ("dct:title", "dc:title", "rdfs:label")),
        ("description", ("dct:description", "dc:description")),
    ):
        values = [value for predicate in predicates for value in _values(tree, predicate) if "text" in value]
        zh = _in(values, "zh") or _in(values, "") or _other(values)
        en = _in(values, "en")
        found |= {name: zh or en, f"{name}_en": en if zh else ""}
    return found


def _themes(tree: Tree) -> dict[str, Any]:
    said = list(_said(tree, "dcat:theme"))
    return {
        "themes": words.themes(said),
        "domain": words.domain(a for a in said if "#domain-" in a),
        "disclosures": words.disclosures(a for a in said if "#disclosure-" in a),
    }


def _licence(tree: Tree) -> Iterator[str]:
    yield from _said(tree, "dct:license")
    yield from (text for one in _things(tree, "dct:license") for text in _texts(one, "dct:title"))


def _condition(distributions: Iterable[Tree]) -> str:
    for one in distributions:
        for rights in _things(one, "dct:rights"):
            if rights["id"].endswith(_MARKS):
                return _text(rights, "rdfs:label")
    return ""


def _coverage(tree: Tree) -> dict[str, Any]:
    places = _things(tree, "dct:spatial")
    said = [
        text
        for p in places
        for text in (
            p["id"],
            *_texts(p, "dct:identifier"),
            *_texts(p, "skos:prefLabel"),
            *_texts(p, "rdfs:label"),
        )
    ]
    shapes = (text for p in places for name in ("dcat:bbox", "locn:geometry") for text in _texts(p, name))
    bbox = next((sides for text in shapes if (sides := cleaning.box(text)) is not None), None)
    period = next(iter(_things(tree, "dct:temporal")), None)
    return {
        "region": words.region(*said, *_texts(tree, "dct:spatial")),
        "bbox": bbox,
        **(cleaning.period(_edge(period, "startDate"), _edge(period, "endDate")) if period else {}),
    }


def _edge(period: Tree, name: str) -> str:
    return _text(period, f"dcat:{name}") or _text(period, f"schema:{name}")


def _contact(tree: Tree) -> dict[str, str]:
    card = next(iter(_things(tree, "dcat:contactPoint")), None)
    if card is None:
        return {}
    return {
        "contact_name": _text(card, "vcard:fn") or _text(card, "vcard:organization-name"),
        "contact_email": cleaning.email(next(iter(_deep(card, "vcard:hasEmail")), "")),
        "contact_phone": cleaning.phone(next(iter(_deep(card, "vcard:hasTelephone")), "")),
    }


def _data_updated(tree: Tree) -> str:
    """数据更新时间. Where the dataset's time is that of its record, it tells when its description changed, nothing of the data."""
    changed, about = _text(tree, "dct:modified"), tree.get("record")
    return "" if about and changed == _text(about, "dct:modified") else cleaning.day(changed)


def _extras(tree: Tree) -> dict[str, str]:
    """What a remote knows and we have no field for: 信息资源代码 (of its own list), the fields of its city."""
    resource_codes = _texts_below(tree, "adms:identifier", "skos:notation")
    city = {
        f"city_{_text(one, 'schema:propertyID')}": cleaning.line(
            _in(values, "zh") or _text(one, "schema:value"), 2000
        )
        for one in _things(tree, "schema:additionalProperty")
        if _text(one, "schema:propertyID")
        for values in [[value for value in _values(one, "schema:value") if "text" in value]]
    }
    return city | ({"resource_codes": ", ".join(resource_codes)} if resource_codes else {})


def _resource(tree: Tree, base: str) -> RemoteResource:
    checksum = next(
        (
            one
            for one in _things(tree, "spdx:checksum")
            if "sha256" in str(_values(one, "spdx:algorithm")).lower()
        ),
        None,
    )
    fields = {
        **{
            "name" if k == "title" else "name_en" if k == "title_en" else k: v
            for k, v in _described(tree).items()
        },
        "format": words.file_format(*_said(tree, "dct:format"), *_media(tree)),
        "media_type": next(_media(tree), ""),
        "url": next((a for name in ("dcat:downloadURL", "dcat:accessURL") for a in _said(tree, name)), ""),
        "schema_name": _schema(tree),
    }
    return building.resource(
        fields,
        base,
        identifier=_text(tree, "dct:identifier") or tree["id"],
        sha256=_text(checksum, "spdx:checksumValue").lower() if checksum else "",
    )


def _media(tree: Tree) -> Iterator[str]:
    """`text/csv`, from an address of IANA's registry as well."""
    for text in _said(tree, "dcat:mediaType"):
        yield text.partition("/media-types/")[2] or text


def _schema(tree: Tree) -> str:
    """A ready schema that is known here too."""
    names = (a.partition("/api/v1/schemas/")[2] for a in _addresses(tree, "dct:conformsTo"))
    return next((name for name in names if name in codes().table_schemas), "")


def _values(tree: Tree, predicate: str) -> list[Any]:
    found: list[Any] = tree["said"].get(predicate, [])
    return found


def _things(tree: Tree, predicate: str) -> list[Tree]:
    return [value for value in _values(tree, predicate) if "said" in value]


def _texts(tree: Tree, predicate: str) -> list[str]:
    return [value["text"] for value in _values(tree, predicate) if "text" in value]


def _text(tree: Tree, predicate: str) -> str:
    return next(iter(_texts(tree, predicate)), "")


def _addresses(tree: Tree, predicate: str) -> Iterator[str]:
    return (value["id"] for value in _values(tree, predicate) if value.get("id"))


def _said(tree: Tree, predicate: str) -> Iterator[str]:
    """Addresses, then texts, then the labels of what has no address."""
    yield from _addresses(tree, predicate)
    yield from _texts(tree, predicate)
    yield from (
        text
        for one in _things(tree, predicate)
        for name in ("rdfs:label", "skos:prefLabel")
        for text in _texts(one, name)
    )


def _deep(tree: Tree, predicate: str) -> list[str]:
    """An address or a text, or that of a `vcard:hasValue` below."""
    inner = (text for one in _things(tree, predicate) for text in _said(one, "vcard:hasValue"))
    return [text for text in (*_said(tree, predicate), *inner) if text]


def _texts_below(tree: Tree, predicate: str, inner: str) -> list[str]:
    return [text for one in _things(tree, predicate) for text in _texts(one, inner)]


def _names(tree: Tree, predicate: str) -> list[str]:
    found = [
        value for one in _things(tree, predicate) for value in _values(one, "foaf:name") if "text" in value
    ]
    return [name] if (name := _in(found, "zh") or _in(found, "") or _other(found)) else []


def _in(values: list[Any], language: str) -> str:
    return next(
        (str(value["text"]) for value in values if value["language"].partition("-")[0] == language), ""
    )


def _other(values: list[Any]) -> str:
    """In a language that is neither Chinese nor English."""
    return next((str(value["text"]) for value in values if value["language"].partition("-")[0] != "en"), "")
