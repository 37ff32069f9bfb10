"""A page of OAI-PMH 2.0 to its records. Run in the sandbox: the bytes are a stranger's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from opendata.harvest.sandboxed import rdf
from opendata.ports.sandbox.port import TaskError

OAI = "{http://www.openarchives.org/OAI/2.0/}"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}RDF"
DC = "{http://purl.org/dc/elements/1.1/}"
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
MOST_VALUES, LONGEST = 500, 200_000


def page(path: str, base: str) -> dict[str, Any]:
    """`{root, verb, error, token, total, records}`. A record is `{identifier, stamp, deleted}` with `dc` {name: [{text,
    language}]} or `datasets` (the trees of `rdf`), or `{…, broken}` where its metadata is neither.

    Errors: TaskError `harvest_unreadable`, `harvest_hostile`(what)."""
    found: dict[str, Any] = {"root": "", "error": "", "token": "", "total": None, "records": []}
    try:
        for event, element in iterparse(Path(path), events=("start", "end"), forbid_dtd=True):
            if event == "start":
                found["root"] = found["root"] or element.tag
                continue
            if element.tag == OAI + "record":
                found["records"].append(_record(element, base))
                element.clear()
            elif element.tag == OAI + "error":
                found["error"] = element.get("code", "unknown")[:100]
            elif element.tag == OAI + "resumptionToken":
                found["token"] = (element.text or "").strip()[:5000]
                size = element.get("completeListSize", "")
                found["total"] = int(size) if size.isdigit() and len(size) < 10 else None
    except DefusedXmlException:
        raise TaskError("harvest_hostile", what="XML entities") from None
    except ParseError as error:
        raise TaskError("harvest_unreadable", place=f"line {error.position[0]}") from None
    except (ValueError, LookupError):
        raise TaskError("harvest_unreadable", place="encoding") from None
    found["root"] = found["root"].removeprefix(OAI)
    return found


def _record(element: Element, base: str) -> dict[str, Any]:
    header = element.find(OAI + "header")
    found: dict[str, Any] = {
        "identifier": _text(header, "identifier"),
        "stamp": _text(header, "datestamp"),
        "deleted": header is not None and header.get("status") == "deleted",
    }
    metadata = element.find(OAI + "metadata")
    inside = next(iter(metadata), None) if metadata is not None else None
    if found["deleted"]:
        return found
    if inside is None:
        return found | {"broken": "no metadata"}
    if inside.tag == RDF:
        try:
            return found | {"datasets": rdf.of_graph(rdf.parsed(tostring(inside), "xml", base))["datasets"]}
        except TaskError as error:
            return found | {"broken": error.code}
    values = dict(_values(inside))
    return found | ({"dc": values} if values else {"broken": "neither oai_dc nor RDF"})


def _values(inside: Element) -> Iterator[tuple[str, list[dict[str, str]]]]:
    names = dict.fromkeys(one.tag for one in inside if one.tag.startswith(DC))
    for name in names:
        told = [one for one in inside.findall(name) if one.text][:MOST_VALUES]
        yield (
            name.removeprefix(DC),
            [{"text": (one.text or "")[:LONGEST], "language": one.get(LANGUAGE, "")} for one in told],
        )


def _text(parent: Element | None, name: str) -> str:
    found = parent.find(OAI + name) if parent is not None else None
    return ((found.text or "") if found is not None else "").strip()
