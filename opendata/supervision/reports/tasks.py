"""The yearly report as a document for a word processor. Runs in the sandbox: the server does not load the library."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from docx import Document
from docx.document import Document as Text
from docx.oxml.ns import qn
from docx.shared import Pt
from docx.styles.style import CharacterStyle

FONT, LATIN = "仿宋", "Times New Roman"
"""What official documents are set in (GB/T 9704): named, not embedded; a reader without it sees its own Chinese font."""


def document(
    *,
    title: str,
    signed: str,
    sections: Sequence[Sequence[str]],
    numbers: Sequence[Sequence[str]],
    output: str,
) -> dict[str, int]:
    """Writes `report.docx` into the folder `output`: the title, who signed it, (heading, words) and the table of (what, how
    many) under the last heading. {"bytes"}."""
    made = Document()
    for name in ("Normal", "Title", "Heading 1"):
        _set(made, name)
    made.core_properties.title, made.core_properties.author = title, signed.split(" ")[0]
    made.add_heading(title, level=0)
    made.add_paragraph(signed)
    for heading, words in sections:
        made.add_heading(heading, level=1)
        for paragraph in words.split("\n"):
            if paragraph.strip():
                made.add_paragraph(paragraph.strip()).paragraph_format.first_line_indent = Pt(24)
    table = made.add_table(rows=0, cols=2, style="Table Grid")
    for what, count in numbers:
        cells = table.add_row().cells
        cells[0].text, cells[1].text = what, count
    path = Path(output, "report.docx")
    made.save(str(path))
    return {"bytes": path.stat().st_size}


def _set(made: Text, name: str) -> None:
    """A font for Latin letters and one for Chinese characters: Word asks for both."""
    style = made.styles[name]
    if isinstance(style, CharacterStyle):
        style.font.name = LATIN
        style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), FONT)
