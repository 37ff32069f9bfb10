"""Triples to bytes: Turtle (which N3 readers also read), RDF/XML, JSON-LD. Checked against rdflib's parsers by property."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import orjson

from opendata.feeds.graph import PREFIXES, Graph, Iri, Term

_TURTLE_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"})


def turtle(graph: Graph) -> bytes:
    lines = [f"@prefix {prefix}: <{address}> ." for prefix, address in PREFIXES.items()]
    lines += (_turtle_subject(graph, subject) for subject in graph.subjects())
    return ("\n".join(lines) + "\n").encode()


def n_triples(graph: Graph) -> bytes:
    """A triple a line: for files that are read a line at a time."""
    return "".join(_triples(graph)).encode()


def rdf_xml(graph: Graph) -> bytes:
    namespaces = "".join(f' xmlns:{prefix}="{address}"' for prefix, address in PREFIXES.items())
    parts = [f'<?xml version="1.0" encoding="utf-8"?>\n<rdf:RDF{namespaces}>\n']
    for subject in graph.subjects():
        parts.append(f"<rdf:Description rdf:about={quoteattr(subject)}>\n")
        parts += (f'  <rdf:type rdf:resource="{_full(kind)}"/>\n' for kind in graph.classes.get(subject, ()))
        parts += _xml_facts(graph.facts.get(subject, {}))
        parts.append("</rdf:Description>\n")
    parts.append("</rdf:RDF>\n")
    return "".join(parts).encode()


def json_ld(graph: Graph) -> bytes:
    """With its context inside: a reader needs to fetch nothing."""
    nodes = [_json_node(graph, subject) for subject in graph.subjects()]
    return orjson.dumps({"@context": PREFIXES, "@graph": nodes})


Writer = Callable[[Graph], bytes]
FORMATS: Mapping[str, tuple[str, Writer]] = {
    "ttl": ("text/turtle", turtle),
    "rdf": ("application/rdf+xml", rdf_xml),
    "xml": ("application/rdf+xml", rdf_xml),
    "jsonld": ("application/ld+json", json_ld),
    "n3": ("text/n3", turtle),
}
"""By the ending of the address: media type and writer."""


def _turtle_subject(graph: Graph, subject: str) -> str:
    said = []
    if classes := graph.classes.get(subject):
        said.append("a " + ", ".join(classes))
    for predicate, terms in graph.facts.get(subject, {}).items():
        said.append(f"{predicate} " + ", ".join(map(_turtle_term, terms)))
    return f"\n<{subject}> " + " ;\n    ".join(said) + " ."


def _turtle_term(term: Term) -> str:
    if isinstance(term, Iri):
        return f"<{term}>"
    written = f'"{term.value.translate(_TURTLE_ESCAPES)}"'
    if term.language:
        return f"{written}@{term.language}"
    return f"{written}^^{term.datatype}" if term.datatype else written


def _triples(graph: Graph) -> Iterator[str]:
    for subject in graph.subjects():
        for kind in graph.classes.get(subject, ()):
            yield f"<{subject}> <{_full('rdf:type')}> <{_full(kind)}> .\n"
        for predicate, terms in graph.facts.get(subject, {}).items():
            for term in terms:
                yield f"<{subject}> <{_full(predicate)}> {_whole_term(term)} .\n"


def _whole_term(term: Term) -> str:
    """Without prefixes."""
    if isinstance(term, Iri) or not term.datatype:
        return _turtle_term(term)
    return f'"{term.value.translate(_TURTLE_ESCAPES)}"^^<{_full(term.datatype)}>'


def _xml_facts(facts: Mapping[str, Mapping[Term, None]]) -> Iterator[str]:
    for predicate, terms in facts.items():
        for term in terms:
            if isinstance(term, Iri):
                yield f"  <{predicate} rdf:resource={quoteattr(term)}/>\n"
                continue
            mark = f' xml:lang="{term.language}"' if term.language else ""
            mark += f' rdf:datatype="{_full(term.datatype)}"' if term.datatype else ""
            yield f"  <{predicate}{mark}>{escape(term.value)}</{predicate}>\n"


def _json_node(graph: Graph, subject: str) -> dict[str, Any]:
    node: dict[str, Any] = {"@id": subject}
    if classes := graph.classes.get(subject):
        node["@type"] = classes
    for predicate, terms in graph.facts.get(subject, {}).items():
        node[predicate] = [_json_term(term) for term in terms]
    return node


def _json_term(term: Term) -> dict[str, str]:
    if isinstance(term, Iri):
        return {"@id": term[:]}
    if term.language:
        return {"@value": term.value, "@language": term.language}
    return {"@value": term.value, "@type": term.datatype} if term.datatype else {"@value": term.value}


def _full(name: str) -> str:
    prefix, _, local = name.partition(":")
    return PREFIXES[prefix] + local
