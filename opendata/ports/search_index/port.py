"""What we ask of a search index.

The application analyses text itself (`search.analysis`): a text field arrives as a list of tokens, at index time and
in a query, so that every engine finds the same things. The fields are fixed here, in one declarative table, and each
adapter builds its mapping from it. A query is a tree (below), never text.

Documents carry the dataset's revision; an older revision never replaces a newer one.

Errors: `core.errors.Unavailable("search_unavailable")`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

TEXT_FIELDS: Mapping[str, float] = {
    "title": 8.0,
    "keywords": 4.0,
    "name": 4.0,
    "agency_title": 2.0,
    "columns": 2.0,
    "description": 1.0,
    "resources": 1.0,
    "extra": 0.5,
}
"""Text fields (tokens) and their weights in a search over all of them (field `text` in a query)."""

KEYWORD_FIELDS: tuple[str, ...] = (
    "id", "dataset_name", "agency", "agency_id", "themes", "domain", "disclosures", "formats", "licence", "openness", "update_cycle", "region",
    "groups", "tags", "source_id", "author", "maintainer", "kind", "has_rows", "resource_ids", "city_fields", "terms", "extras",
)  # fmt: skip
"""Exact values, many a document; filters and facets. `extras`, `city_fields` and `terms` hold `key=value`; `agency` the name, `agency_id` the id."""

DATE_FIELDS: tuple[str, ...] = ("created", "modified", "issued")
NUMBER_FIELDS: tuple[str, ...] = ("resources_count",)
SORT_FIELDS: tuple[str, ...] = ("title_sort", "name_sort", "created", "modified", "issued", "resources_count")
"""`title_sort` and `name_sort` are single lower-case keywords. Besides these, `id` orders."""


@dataclass(frozen=True)
class Document:
    """One public dataset. `texts` maps text fields to tokens, `keywords` keyword fields to values, `sorts` the two sort
    keywords; `payload` is stored and given back with a hit (JSON bytes, not searched)."""

    id: str
    revision: int
    texts: Mapping[str, Sequence[str]]
    keywords: Mapping[str, Sequence[str]]
    dates: Mapping[str, datetime]
    numbers: Mapping[str, int]
    sorts: Mapping[str, str]
    payload: bytes = b""


# -- the query tree --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Everything:
    """Matches every document."""


@dataclass(frozen=True)
class Words:
    """All of these tokens occur in one text field, or anywhere if `field` is "text" (each token in any field).
    Only words and phrases score; everything else selects."""

    field: str
    tokens: tuple[str, ...]


@dataclass(frozen=True)
class Phrase:
    """These tokens occur next to each other, in order, in `field` (or in any one field if "text")."""

    field: str
    tokens: tuple[str, ...]


@dataclass(frozen=True)
class Prefix:
    """A token, or a keyword value, of `field` (or of any text field if "text") starts with this."""

    field: str
    prefix: str


@dataclass(frozen=True)
class Pattern:
    """A token, or a keyword value, of `field` (or of any text field if "text") looks like this from its first character to
    its last: `*` stands for any characters, `?` for one, a backslash takes the next character as it is."""

    field: str
    pattern: str


@dataclass(frozen=True)
class Exact:
    """A keyword field holds any of these values."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Exists:
    """A keyword field holds any value."""

    field: str


@dataclass(frozen=True)
class Between:
    """A date (datetime), number (int) or sort field (text) lies in the range; None is open."""

    field: str
    low: Any = None
    high: Any = None
    include_low: bool = True
    include_high: bool = True


@dataclass(frozen=True)
class All:
    of: tuple[Query, ...]


@dataclass(frozen=True)
class AnyOf:
    of: tuple[Query, ...]


@dataclass(frozen=True)
class AtLeast:
    """That many of these."""

    count: int
    of: tuple[Query, ...]


@dataclass(frozen=True)
class Not:
    of: Query


Query = (
    Everything | Words | Phrase | Prefix | Pattern | Exact | Exists | Between | All | AnyOf | AtLeast | Not
)


@dataclass(frozen=True)
class Sort:
    """By a sort field, or by relevance (best first, always) if `field` is "score". Documents without a value come last.
    Ties break by a number made from the id (`values.tie`): arbitrary, but the same in every engine."""

    field: str
    descending: bool = True


@dataclass(frozen=True)
class Request:
    """`query` scores and selects, `filter` only selects. `facets` maps keyword fields to how many values are wanted
    (counts are exact over all that match; ordered by count, then value)."""

    query: Query = field(default_factory=Everything)
    filter: Query = field(default_factory=Everything)
    sort: tuple[Sort, ...] = (Sort("score"),)
    offset: int = 0
    limit: int = 20
    facets: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Hit:
    id: str
    revision: int
    score: float
    payload: bytes


@dataclass(frozen=True)
class Answer:
    total: int
    hits: Sequence[Hit]
    facets: Mapping[str, Sequence[tuple[str, int]]]


class Rebuild(Protocol):
    """A new index beside the serving one; replaces it when the `with` block ends without an error."""

    def add(self, documents: Iterable[Document]) -> None: ...


class SearchIndex(Protocol):
    @property
    def needs_rebuild(self) -> bool:
        """Whether it was found empty or unreadable, so that it must be built from the database."""
        ...

    def apply(self, upserts: Sequence[Document], deletes: Sequence[tuple[str, int]]) -> Sequence[str]:
        """Writes a batch, durable and searchable on return. `deletes` are (id, revision) and leave a mark, so that a late
        write of that revision or an older one does not bring the document back. Returns the ids the engine refused
        (each is logged with its reason); the rest is written. While a rebuild runs, both indexes are written."""
        ...

    def search(self, request: Request) -> Answer: ...

    def revisions(self) -> Iterator[tuple[str, int]]:
        """(id, revision) of every document."""
        ...

    def rebuild(self) -> AbstractContextManager[Rebuild]: ...

    def check(self) -> None:
        """Raises `Unavailable` if the index cannot answer."""
        ...

    def close(self) -> None: ...
