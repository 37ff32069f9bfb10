"""Writes docs/openapi.json, the snapshot that a test compares the API with."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from opendata.main import create_app
from opendata.ports.job_queue.inline import InlineQueue
from opendata.settings import Settings
from opendata.wiring import build, migrate


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), run_jobs=False)
        migrate(settings)
        app = build(settings, queue=InlineQueue())
        document = create_app(app).openapi()
        app.close()
    target = Path(__file__).resolve().parents[1] / "openapi.json"
    target.write_text(
        json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
