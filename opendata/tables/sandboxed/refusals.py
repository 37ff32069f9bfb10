"""What a task on rows refuses. Its codes are between the worker and the face that words them (CKAN's), and never shown."""

from __future__ import annotations

from opendata.ports.sandbox.port import TaskError


class Refusal(TaskError):
    """`code` and JSON parameters, see `compat.ckan.datastore.arguments.refused`."""
