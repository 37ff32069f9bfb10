"""CKAN's `q` without a colon: words as its Solr takes them (dismax).

Of up to two words both must be there, of three to five all but one, of more four in five. `+word` must be there, `-word`
must not, a quoted phrase is one word. Every other sign is punctuation.
"""

from __future__ import annotations

import re

from opendata.core.errors import BadQuery
from opendata.ports.search_index.port import AtLeast, Everything, Not, Query
from opendata.search.query import MAX_LENGTH, MAX_TERMS, all_of, count_terms, phrase, words

_CLAUSE = re.compile(r'([-+]?)(?:"([^"]*)"|([^\s"]+))')


def parse_dismax(text: str) -> Query:
    """The tree; `Everything` if there is nothing to search for. Raises BadQuery `query_too_long`, `query_too_many_terms`."""
    if len(text) > MAX_LENGTH:
        raise BadQuery("query_too_long", limit=MAX_LENGTH)
    must: list[Query] = []
    should: list[Query] = []
    terms = 0
    for sign, quoted, word in _CLAUSE.findall(text):
        part = phrase(quoted) if quoted else words(word)
        if isinstance(part, Everything):
            continue
        terms += count_terms(part)
        if terms > MAX_TERMS:
            raise BadQuery("query_too_many_terms", limit=MAX_TERMS)
        if sign:
            must.append(Not(part) if sign == "-" else part)
        else:
            should.append(part)
    needed = least(len(should))
    if needed < len(should):
        return all_of([AtLeast(needed, tuple(should)), *must])
    return all_of([*should, *must])


def least(count: int) -> int:
    """How many of so many words must be there (CKAN's `mm`: 2<-1 5<80%)."""
    if count <= 2:
        return count
    return count - 1 if count <= 5 else count * 4 // 5
