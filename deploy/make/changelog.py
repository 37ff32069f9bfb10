"""Moves the lines of changes/ into a new section of CHANGELOG.md: `python deploy/make/changelog.py 0.2.0`.

Without a version it prints what the next section would say and changes nothing.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KINDS = {"added": "Added", "changed": "Changed", "fixed": "Fixed", "security": "Security"}
INTRODUCTION = "# Changes\n\nThe newest version comes first. How lines get here: changes/README.md.\n"


def fragments(folder: Path) -> dict[str, list[Path]]:
    """The fragments by kind, in the order of `KINDS`. Raises `SystemExit` naming a file of an unknown kind."""
    found: dict[str, list[Path]] = {kind: [] for kind in KINDS}
    for path in sorted(folder.glob("*.md")):
        kind = path.stem.rpartition(".")[2]
        if path.name == "README.md":
            continue
        if kind not in found:
            raise SystemExit(f"{path.name}: the kind must be one of {', '.join(KINDS)}")
        found[kind].append(path)
    return found


def section(version: str, day: str, found: dict[str, list[Path]]) -> str:
    parts = [f"## {version} ({day})\n"]
    for kind, paths in found.items():
        lines = [
            line.strip().removeprefix("- ") for path in paths for line in path.read_text("utf-8").splitlines()
        ]
        items = "".join(f"- {line}\n" for line in lines if line)
        if items:
            parts.append(f"### {KINDS[kind]}\n{items}")
    return "\n".join(parts)


def insert(changelog: str, text: str) -> str:
    """Puts a section before the first one."""
    head, mark, rest = (changelog or INTRODUCTION).partition("\n## ")
    return f"{head.rstrip()}\n\n{text.rstrip()}\n" + (f"{mark}{rest}" if mark else "")


def main(root: Path, version: str) -> None:
    found = fragments(root / "changes")
    text = section(version or "Unreleased", datetime.now(UTC).date().isoformat(), found)
    if not version:
        print(text)
        return
    target = root / "CHANGELOG.md"
    target.write_text(insert(target.read_text("utf-8") if target.exists() else "", text), "utf-8")
    for path in (path for paths in found.values() for path in paths):
        path.unlink()


if __name__ == "__main__":
    main(ROOT, sys.argv[1] if len(sys.argv) > 1 else "")
