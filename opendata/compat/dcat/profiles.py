"""DCAT-AP 2.1.1 for harvesters that ask for it by `profiles=`; everybody else gets 3.0.1. No graph fits the shapes of both:
the size of a file is a number of another type, and 2.1.1 knows no checksum but SHA-1, which nobody should trust."""

from __future__ import annotations

from collections.abc import Mapping

from opendata.core.errors import BadQuery, FieldError
from opendata.feeds.graph import Graph, Text

PRESENT, BEFORE = "3.0.1", "2.1.1"
EDITIONS: Mapping[str, str] = {
    **dict.fromkeys((PRESENT, "dcat_ap_3", "euro_dcat_ap_3"), PRESENT),
    **dict.fromkeys((BEFORE, "dcat_ap_2", "euro_dcat_ap_2", "euro_dcat_ap"), BEFORE),
}
"""By the names that ckanext-dcat gives them, and by their own."""


def edition(profiles: str) -> str:
    """The edition of the first profile named (they are separated by commas or spaces). `BadQuery` for an unknown one."""
    named = profiles.replace(",", " ").split()
    if unknown := [name for name in named if name not in EDITIONS]:
        params = {"value": unknown[0][:40], "known": ", ".join(EDITIONS)}
        raise BadQuery(fields=[FieldError("profiles", "unknown_value", params)])
    return EDITIONS[named[0]] if named else PRESENT


def in_edition(graph: Graph, wanted: str) -> Graph:
    """The graph, changed where that edition has it otherwise."""
    if wanted == BEFORE:
        for facts in graph.facts.values():
            facts.pop("spdx:checksum", None)
            for term in list(facts.get("dcat:byteSize", ())):
                facts["dcat:byteSize"] = {Text(term[0], "", "xsd:decimal"): None}
        for kind in ("spdx:Checksum", "spdx:ChecksumAlgorithm"):
            graph.forget(kind)
    return graph
