"""Whether an entry forbids what somebody wants to open: a pure comparison of words.

Words are compared as a reader sees them: whatever width, case and script of digits; blanks and points between Chinese
characters do not count. A Chinese word is found inside a longer one (诊断 in 诊断结果), a Latin one only by itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from opendata.core.names import clean_text
from opendata.inventory.negative.models import NegativeEntry

_HAN = "\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_GAP = re.compile(rf"(?<=[{_HAN}])[\s_.·•・*|/\\-]+(?=[{_HAN}])")
_LATIN = re.compile(r"[a-z0-9]")


@dataclass(frozen=True)
class Subject:
    """What is to be opened. Places are named as the caller wrote them (`resources.0.name`)."""

    lineage: Sequence[str]
    """Ids of its body and of those above."""
    themes: Collection[str]
    texts: Sequence[tuple[str, str]]
    """(place, text)"""
    items: Sequence[tuple[str, str]]
    """(place, name of a column or an information item)"""

    @cached_property
    def folded_items(self) -> list[tuple[str, str]]:
        return [(place, folded(name)) for place, name in self.items]

    @cached_property
    def folded_texts(self) -> list[tuple[str, str]]:
        return [(place, folded(text)) for place, text in self.texts] + self.folded_items

    @cached_property
    def everything(self) -> str:
        """For a first look: nearly all words occur nowhere."""
        return "\n".join(text for _place, text in self.folded_texts)


@dataclass(frozen=True)
class Hit:
    """An entry, the place where it met the content, and the word that it met (empty: the body or the theme itself)."""

    entry: NegativeEntry
    place: str
    word: str


def hits(entries: Iterable[NegativeEntry], subject: Subject) -> list[Hit]:
    """Every entry that forbids it, at the first place that shows so."""
    return [hit for entry in entries if (hit := _hit(entry, subject)) is not None]


def folded(text: str) -> str:
    return _GAP.sub("", clean_text(unicodedata.normalize("NFKC", text)).casefold())


def occurs(word: str, text: str) -> bool:
    """Both folded. A word that begins or ends with a Latin letter or digit is not found in the middle of another."""
    if word not in text:
        return False
    before = r"(?<![a-z0-9])" if _LATIN.match(word[0]) else ""
    after = r"(?![a-z0-9])" if _LATIN.match(word[-1]) else ""
    return re.search(before + re.escape(word) + after, text) is not None


def _hit(entry: NegativeEntry, subject: Subject) -> Hit | None:
    if entry.agency_id is not None and entry.agency_id not in subject.lineage:
        return None
    if entry.themes and not set(entry.themes) & set(subject.themes):
        return None
    if not entry.keywords and not entry.items:
        return Hit(entry, "themes" if entry.themes else "agency", "")
    return next(_met(entry, subject), None)


def _met(entry: NegativeEntry, subject: Subject) -> Iterator[Hit]:
    for words, places in ((entry.keywords, subject.folded_texts), (entry.items, subject.folded_items)):
        for word in words:
            wanted = folded(word)
            if wanted not in subject.everything:
                continue
            yield from (Hit(entry, place, word) for place, text in places if occurs(wanted, text))
