"""The catalogue that is loaded into every side, and the mix of questions asked of it: the same by number, everywhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import Any

from client import Client

ORGANIZATIONS, GROUPS = 20, 12
TEXT = (
    "air quality water budget school transport census road health energy climate forest election tax housing crime waste "
    "bus rail museum library river flood soil noise traffic parking tourism fishery farm crop price income employment "
    "business patent court prison police fire ambulance hospital vaccine birth death migration land parcel building permit "
    "heritage park tree species bird fish marine coast port airport aviation accident bridge tunnel sewage electricity gas "
    "solar wind nuclear coal mine quarry statistics survey map boundary elevation satellite sensor meter station timetable "
    "route stop spending contract tender subsidy grant pension welfare childcare kindergarten university research laboratory"
)
WORDS = TEXT.split()
FORMATS = ["CSV", "XLSX", "JSON", "GeoJSON", "PDF", "XML", "SHP", "WMS", "ZIP", "HTML"]
LICENCES = ["cc-by", "cc-zero", "odc-odbl", "other-open", "notspecified"]
FACETS = json.dumps(["organization", "groups", "tags", "res_format", "license_id"])

Form = tuple[str, Mapping[str, Any]]
"""Name of a kind of question, and its arguments."""


def name_of(number: int) -> str:
    return f"bench-{number:06d}"


def dataset(number: int, name: str | None = None) -> dict[str, Any]:
    """Arguments of package_create."""
    draw = _random(number)

    def words(count: int) -> str:
        return " ".join(draw.choices(WORDS, k=count))

    notes = [words(draw.randint(8, 16)).capitalize() for _ in range(draw.randint(3, 8))]
    return {
        "name": name or name_of(number),
        "title": f"{words(4).capitalize()} {1990 + number % 37}",
        "notes": ". ".join(notes) + ".",
        "owner_org": f"bench-org-{number % ORGANIZATIONS:02d}",
        "license_id": draw.choice(LICENCES),
        "author": words(2).title(),
        "author_email": f"a{number}@example.org",
        "maintainer": words(2).title(),
        "version": f"1.{number % 9}",
        "url": f"http://example.org/d/{number}",
        "tags": [{"name": word} for word in sorted(set(draw.choices(WORDS, k=5)))],
        "groups": [{"name": f"bench-group-{number % GROUPS:02d}"}],
        "extras": [
            {"key": "spatial_coverage", "value": words(1)},
            {"key": "update_frequency", "value": draw.choice(["daily", "weekly", "monthly", "yearly"])},
            {"key": "theme", "value": words(1)},
        ],
        "resources": [
            {
                "name": words(3),
                "description": words(10),
                "url": f"http://example.org/d/{number}/{position}.csv",
                "format": draw.choice(FORMATS),
            }
            for position in range(draw.randint(1, 5))
        ],
    }


def prepare(client: Client) -> None:
    """The organizations and groups, where they are not there yet."""
    for kind, short, count in (("organization", "org", ORGANIZATIONS), ("group", "group", GROUPS)):
        there = set(client.action(f"{kind}_list", {"limit": 1000}))
        for number in range(count):
            name = f"bench-{short}-{number:02d}"
            if name not in there:
                title = f"Bench {kind} {number} {WORDS[number]}"
                description = "Made by the benchmark."
                client.action(f"{kind}_create", {"name": name, "title": title, "description": description})


def mixed(draw: Random) -> Form:
    """One of eight kinds of package_search, as portals and their clients ask."""
    word, other = draw.choice(WORDS), draw.choice(WORDS)
    newest = {"rows": 10, "sort": "metadata_modified desc"}
    forms: list[Form] = [
        ("home", {"q": "*:*", "rows": 20, "facet.field": FACETS, "facet.limit": 50, "sort": newest["sort"]}),
        ("one word", {"q": word, "rows": 20, "facet.field": FACETS}),
        ("two words", {"q": f"{word} {other}", "rows": 10}),
        ("organization", {"fq": f"organization:bench-org-{draw.randrange(20):02d}", "rows": 20, "start": 20}),
        ("tag", {"fq": f'tags:"{word}"', "rows": 10, "sort": "title_string asc"}),
        ("phrase, not", {"q": f'"{word}" -{other}', "rows": 10}),
        ("last 7 days", {"fq": "metadata_modified:[NOW-7DAYS TO NOW]", **newest}),
        ("count", {"rows": 0}),
    ]
    return draw.choice(forms)


def unheard(draw: Random) -> Form:
    """A question that was hardly asked before, so that no side's cache has the answer: three words with five facets."""
    return "three words", {"q": " ".join(draw.choices(WORDS, k=3)), "rows": 20, "facet.field": FACETS}


def _random(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - the same data on every side, nothing secret
