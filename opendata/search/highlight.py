"""The part of a text around its hits, in segments: markup is the page's business, so nothing is to be escaped here."""

from __future__ import annotations

from collections.abc import Iterable

from opendata.search.analysis import HAN_ONLY, PIECE, SYNONYMS, TOKEN_LENGTH, fold, stem

Segment = tuple[str, bool]
"""A piece of the text as it was written, and whether it is a hit."""

LONGEST_TEXT = 20_000


def highlight(text: str, tokens: Iterable[str], width: int) -> list[Segment]:
    """At most `width` characters of `text` around its first hit (its beginning if there is none), in segments that
    join to that part; "…" of their own where it was cut. `tokens` come from `analysis.query_tokens`."""
    text = text[:LONGEST_TEXT]
    marks = _marks(text, set(tokens))
    first = marks.index(True) if True in marks else 0
    start = 0 if len(text) <= width else max(0, min(first - width // 4, len(text) - width))
    end = min(len(text), start + width)
    segments: list[Segment] = [("…", False)] if start > 0 else []
    position = start
    while position < end:
        stop = position + 1
        while stop < end and marks[stop] == marks[position]:
            stop += 1
        segments.append((text[position:stop], marks[position]))
        position = stop
    return [*segments, ("…", False)] if end < len(text) else segments


def _marks(text: str, tokens: set[str]) -> list[bool]:
    """For each character of the text whether it belongs to a hit."""
    folded, origin = [], []
    for position, character in enumerate(text):
        for part in fold(character):
            folded.append(part)
            origin.append(position)
    plain = "".join(folded)
    marks = [False] * len(text)
    wanted = tokens.union(*(SYNONYMS.get(token, ()) for token in tokens))
    for start, end in _spans(plain, wanted):
        marks[origin[start] : origin[end - 1] + 1] = [True] * (origin[end - 1] + 1 - origin[start])
    return marks


def _spans(plain: str, wanted: set[str]) -> Iterable[tuple[int, int]]:
    for match in PIECE.finditer(plain):
        piece = match.group()
        if HAN_ONLY.match(piece):
            for word in wanted:
                at = piece.find(word)
                while at >= 0:
                    yield match.start() + at, match.start() + at + len(word)
                    at = piece.find(word, at + 1)
        elif stem(piece)[:TOKEN_LENGTH] in wanted:
            yield match.span()
