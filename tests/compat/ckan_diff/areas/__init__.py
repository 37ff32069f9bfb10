"""Every module here is an area: its `CALLS`."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from ckan_diff.calls import Call

AREAS: dict[str, list[Call]] = {
    module.name: import_module(f"{__name__}.{module.name}").CALLS for module in iter_modules(__path__)
}
