"""The reader of a stranger's SQL, alone: whatever the text, it is refused or one harmless SELECT."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from opendata.ports.sandbox.port import TaskError
from opendata.tables.sandboxed import statements


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="SELECTFROMWHERE ()*,;'\"$-/\\|@#`{}[]0123456789abc.=<>\n\0é", max_size=80))
def test_no_text_breaks_the_reader(text):
    for sql in (text, f"SELECT {text} FROM st", f"SELECT n FROM st WHERE {text}"):  # noqa: S608
        try:
            statement = statements.read(sql)
        except TaskError:
            continue
        written = statements.written(statement, dict.fromkeys(statement.tables, "SELECT 1 AS n"), 10)
        assert written.count(";") <= written.count("'") + written.count('"')
