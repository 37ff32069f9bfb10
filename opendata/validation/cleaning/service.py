"""Cleaning as the server has it done: proposed and carried out in the sandbox, outside of any transaction."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opendata.catalog.files import Stores, store_file
from opendata.catalog.profile import ReadOptions
from opendata.core.errors import Unavailable
from opendata.ports.sandbox.port import Sandbox
from opendata.ports.storage.port import ObjectMissing, StoredObject
from opendata.validation import trial
from opendata.validation.cleaning.recipe import Recipe, Step
from opendata.validation.models import Prepared
from opendata.validation.preparing import Kind, Question
from opendata.validation.telling.annotating import Wanted


@dataclass(frozen=True)
class Offered:
    """One step with what it would do."""

    step: Step
    count: int
    """Cells or rows that it changes; 1 for what concerns the file."""
    examples: list[dict[str, Any]]
    """[{row, before, after}]; `after` is None for a row that is set aside."""


@dataclass(frozen=True)
class Proposal:
    steps: list[Offered]
    options: ReadOptions

    @property
    def recipe(self) -> Recipe | None:
        """With all steps; None if there is nothing to clean."""
        steps = [offered.step for offered in self.steps]
        return Recipe(options=self.options, steps=steps) if steps else None


@dataclass(frozen=True)
class Cleaned:
    stored: StoredObject
    """In the inbox store."""
    name: str
    rows: int
    aside: int
    """Rows that were set aside."""
    ignored: list[str]
    """Ids of steps whose columns the file does not have."""


@dataclass(frozen=True)
class Cleaner:
    sandbox: Sandbox
    stores: Stores
    scratch: Path

    def propose(self, asked: Wanted) -> Proposal:
        """Blocks. `Invalid` for what is no table; `Unavailable`."""
        with self._copy(asked) as path, trial.turn():
            answer = self.sandbox.run(
                "opendata.validation.cleaning.tasks:propose",
                args={
                    "name": asked.file.name,
                    "options": asked.meta.options.stored(),
                    "schema": asked.schema,
                },
                inputs={"path": path},
                limits=trial.LIMITS,
            )
        return _proposal(asked, answer)

    def clean(self, asked: Wanted, recipe: Recipe) -> Cleaned:
        """Blocks. The new file in the inbox store; the old one stays. Errors as of `propose`."""
        with self._copy(asked) as path, tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            with trial.turn():
                answer = self.sandbox.run(
                    "opendata.validation.cleaning.tasks:clean",
                    args={"name": asked.file.name, "recipe": recipe.stored(), "schema": asked.schema},
                    inputs={"path": path},
                    output=Path(folder),
                    limits=trial.LIMITS,
                )
            stored = store_file(self.stores.inbox, Path(folder, "cleaned.csv"))
        return Cleaned(stored, _name(asked), **answer)

    def proposed(self, asked: Wanted, found: Prepared) -> Proposal:
        """What the job has found."""
        return _proposal(asked, (found.answer or {})["value"])

    def cleaned(self, asked: Wanted, found: Prepared) -> Cleaned:
        """What the job has made. `Unavailable("file_unavailable")`."""
        try:
            stored = self.stores.inbox.stat(found.object_sha256 or "")
        except ObjectMissing:
            raise Unavailable("file_unavailable", retry_after=60) from None
        return Cleaned(stored, _name(asked), **(found.answer or {})["value"])

    @contextmanager
    def _copy(self, asked: Wanted) -> Iterator[Path]:
        try:
            with self.stores.local_copy(asked.file.sha256) as path:
                yield path
        except ObjectMissing:
            raise Unavailable("file_unavailable", retry_after=60) from None


def to_propose(asked: Wanted) -> Question:
    """What is asked of a large file: the same as `Cleaner.propose` asks."""
    args = {"name": asked.file.name, "options": asked.meta.options.stored(), "schema": asked.schema}
    return Question(Kind.PROPOSAL, asked.file.sha256, asked.file.size, args)


def to_clean(asked: Wanted, recipe: Recipe) -> Question:
    args = {"name": asked.file.name, "recipe": recipe.stored(), "schema": asked.schema}
    return Question(Kind.CLEANED, asked.file.sha256, asked.file.size, args)


def _proposal(asked: Wanted, answer: list[dict[str, Any]]) -> Proposal:
    steps = [Offered(Step(**one["step"]), one["count"], one["examples"]) for one in answer]
    return Proposal(steps, asked.meta.options)


def _name(asked: Wanted) -> str:
    return f"{Path(asked.file.name).stem}.csv"
