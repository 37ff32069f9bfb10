"""Writes docs/errors.md. The test that keeps the page true knows how to make it."""

import runpy
from pathlib import Path

runpy.run_path(str(Path(__file__).parents[2] / "tests" / "edge" / "test_messages.py"), run_name="__main__")
