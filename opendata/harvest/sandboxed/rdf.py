"""A page of RDF to its datasets as plain trees. Run in the sandbox: the bytes are a stranger's.

A tree is `{"id": address or "", "said": {predicate: [value]}}` with predicates as `prefix:name`; a value is a tree where
something is pointed at, else `{"text", "language", "type"}`. Below a dataset it goes three things deep.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler

import rdflib
from defusedxml import DefusedXmlException
from defusedxml.sax import parseString
from rdflib.graph import Graph
from rdflib.namespace import RDF
from rdflib.term import BNode, Literal, Node, URIRef

from opendata.ports.sandbox.port import TaskError

Tree = dict[str, Any]
NAMESPACES = {
    "http://www.w3.org/ns/adms#": "adms",
    "http://www.w3.org/ns/dcat#": "dcat",
    "http://purl.org/dc/terms/": "dct",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://xmlns.com/foaf/0.1/": "foaf",
    "http://www.w3.org/ns/hydra/core#": "hydra",
    "http://www.w3.org/ns/locn#": "locn",
    "http://www.w3.org/ns/prov#": "prov",
    "http://www.w3.org/2000/01/rdf-schema#": "rdfs",
    "https://schema.org/": "schema",
    "http://schema.org/": "schema",
    "http://www.w3.org/2004/02/skos/core#": "skos",
    "http://spdx.org/rdf/terms#": "spdx",
    "http://www.w3.org/2006/vcard/ns#": "vcard",
    "http://www.w3.org/2001/XMLSchema#": "xsd",
    "http://www.w3.org/2002/07/owl#": "owl",
}
DCAT = "http://www.w3.org/ns/dcat#"
HYDRA = "http://www.w3.org/ns/hydra/core#"
TOPIC = URIRef("http://xmlns.com/foaf/0.1/primaryTopic")
DEPTH, MOST_VALUES, LONGEST = 3, 500, 200_000


def datasets(path: str, syntax: str, base: str) -> dict[str, Any]:
    """`{datasets: [tree], next, total, catalogue}` of a page; `syntax` turtle, xml or json-ld. A dataset that has a record
    in the catalogue holds it as `record`. Errors: TaskError `harvest_unreadable`, `harvest_hostile`(what)."""
    return of_graph(parsed(Path(path).read_bytes(), syntax, base))


def of_graph(graph: Graph) -> dict[str, Any]:
    listed = set(graph.objects(None, URIRef(DCAT + "dataset")))
    records = {topic: record for record, topic in graph.subject_objects(TOPIC)}
    found = [
        {
            **_tree(graph, subject, DEPTH),
            "record": _tree(graph, records[subject], 1) if subject in records else None,
        }
        for subject in dict.fromkeys(graph.subjects(RDF.type, URIRef(DCAT + "Dataset")))
        if subject in listed or len(set(graph.predicates(subject))) > 1
    ]
    is_catalogue = bool(listed) or (None, RDF.type, URIRef(DCAT + "Catalog")) in graph
    return {"datasets": found, "next": _next(graph), "total": _total(graph), "catalogue": is_catalogue}


def parsed(body: bytes, syntax: str, base: str) -> Graph:
    """A graph of a page's own bytes and nothing else."""
    # What a literal says is what we judge, not what the library makes of it; nor does it tell us in a log.
    rdflib.NORMALIZE_LITERALS = False
    logging.getLogger("rdflib").setLevel(logging.CRITICAL)
    if syntax == "xml":
        _check_xml(body)
    elif syntax == "json-ld":
        _check_contexts(body)
    try:
        return Graph().parse(data=body, format=syntax, publicID=base)
    except RecursionError:
        raise TaskError("harvest_hostile", what="nested") from None
    except Exception as error:  # each parser of the library raises what it likes
        raise TaskError("harvest_unreadable", place=_place(error)) from None


def _check_xml(body: bytes) -> None:
    """Entities and what is fetched from elsewhere are refused before the library sees them."""
    try:
        parseString(body, ContentHandler(), forbid_dtd=False)
    except DefusedXmlException:
        raise TaskError("harvest_hostile", what="XML entities") from None
    except SAXParseException as error:
        raise TaskError("harvest_unreadable", place=f"line {error.getLineNumber()}") from None
    except (ValueError, LookupError):
        raise TaskError("harvest_unreadable", place="encoding") from None


def _check_contexts(body: bytes) -> None:
    """A context that lies elsewhere would be fetched: by nobody's rules, from wherever the page says."""
    try:
        waiting: list[Any] = [json.loads(body)]
    except (ValueError, RecursionError):
        raise TaskError("harvest_unreadable", place="JSON") from None
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            contexts = one.get("@context")
            for context in contexts if isinstance(contexts, list) else [contexts]:
                if isinstance(context, str) or (isinstance(context, dict) and "@import" in context):
                    raise TaskError("harvest_hostile", what="remote JSON-LD context")
            waiting += one.values()


def _tree(graph: Graph, subject: Node, depth: int) -> Tree:
    said: dict[str, list[Any]] = {}
    for predicate, value in graph.predicate_objects(subject):
        values = said.setdefault(_short(predicate), [])
        if len(values) < MOST_VALUES:
            values.append(_value(graph, value, depth))
    for values in said.values():  # a graph has no order; two readings of one page are to be equal
        values.sort(key=lambda value: json.dumps(value, sort_keys=True))
    return {"id": str(subject) if isinstance(subject, URIRef) else "", "said": said}


def _value(graph: Graph, value: Node, depth: int) -> Any:
    if isinstance(value, Literal):
        kind = _short(value.datatype) if value.datatype else ""
        return {"text": str(value)[:LONGEST], "language": value.language or "", "type": kind}
    if depth and isinstance(value, URIRef | BNode):
        return _tree(graph, value, depth - 1)
    return {"id": str(value)[:LONGEST] if isinstance(value, URIRef) else "", "said": {}}


def _short(name: Node) -> str:
    text = str(name)
    space, _, local = text.rpartition("#") if "#" in text else text.rpartition("/")
    prefix = NAMESPACES.get(text[: len(space) + 1])
    return f"{prefix}:{local}" if prefix else text


def _next(graph: Graph) -> str | None:
    """The address of the next page: of Hydra's view, of the paged collection of CKAN, by the name of today or the old one."""
    for name in ("next", "nextPage"):
        if found := sorted(map(str, graph.objects(None, URIRef(HYDRA + name)))):
            return found[0]
    return None


def _total(graph: Graph) -> int | None:
    counts = [str(value) for value in graph.objects(None, URIRef(HYDRA + "totalItems"))]
    return max((int(count) for count in counts if count.isdigit() and len(count) < 10), default=None)


def _place(error: Exception) -> str:
    """Where it broke, without the stranger's text."""
    line = getattr(error, "lines", None)
    return f"line {line + 1}" if isinstance(line, int) else type(error).__name__
