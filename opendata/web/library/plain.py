"""What was found in a tried file as lines of text, for the command line."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from opendata.validation.telling.groups import Value
from opendata.validation.trial import Trial
from opendata.web import texts
from opendata.web.library.trying import choice, verdict_of
from opendata.web.verdicts import Verdict

WIDEST = 24
"""Places of the column with the columns' names."""
EXAMPLES = 5
"""Bad values of a line."""


def lines(found: Trial, name: str, language: str) -> Iterator[str]:
    verdict = verdict_of(found, language)
    empty = verdict.state == "valid" and verdict.rows == 0
    key = "verdict.no_rows" if empty else f"verdict.{verdict.state}"
    count = {"count": f"{verdict.error_count}"} if verdict.state == "wrong_cells" else {}
    yield f"{name}: {texts.text(key, language, **count)}"
    if found.schema and (title := choice(found.schema, language)):
        yield texts.text("try.against", language, title=title)
    yield from _read(verdict, language)
    whole = texts.text("report.whole_table", language)
    rows = [
        (group.column or whole, str(group.count), group.sentence[language], _places(group.values, language))
        for group in verdict.groups
    ]
    heads = ("report.column", "report.count", "report.problem", "report.examples")
    yield from _table([tuple(texts.text(head, language) for head in heads), *rows] if rows else [])
    if not verdict.complete:
        yield texts.text("report.first_only", language, listed=f"{verdict.listed}")
    for match in found.matches:
        title = texts.choose(match["title"], match["title_en"], language)
        yield f"{texts.text('try.score', language)} {match['score']:.0%}  {match['name']}  {title}"


def _read(verdict: Verdict, language: str) -> Iterator[str]:
    """What was looked at: the sheet of several, the member of an archive, how many rows."""
    if note := verdict.other_sheets:
        yield texts.text("note.other_sheets", language, read=note["read"], sheets=f"{note['sheets']}")
    if member := verdict.layout.get("member"):
        yield str(member)
    if verdict.rows is not None:
        yield texts.text("try.rows", language, rows=f"{verdict.rows:,}")


def _places(values: Sequence[Value], language: str) -> str:
    return "; ".join(_place(one, language) for one in values[:EXAMPLES])


def _place(one: Value, language: str) -> str:
    row = texts.text("report.row", language, row=one.rows[0]) if one.rows else ""
    times = f"×{one.count}" if one.count > 1 else ""
    return " ".join(part for part in (row, one.value[:30], times) if part)


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """The last column is as long as it is."""
    widths = [min(WIDEST * 3, max(map(width, column))) for column in list(zip(*rows, strict=True))[:-1]]
    for row in rows:
        cells = [cell + " " * (room - width(cell)) for cell, room in zip(row, widths, strict=False)]
        yield "  ".join([*cells, row[-1]]).rstrip()


def width(text: str) -> int:
    """Places on a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
