"""Writes docs/ckan.md. The test that keeps the page true knows how to make it."""

import runpy
from pathlib import Path

runpy.run_path(str(Path(__file__).parents[2] / "tests" / "docs" / "test_ckan.py"), run_name="__main__")
