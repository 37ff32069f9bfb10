"""Who calls. Made on either site before the calls of an area: two organizations and their people."""

from __future__ import annotations

ORGANIZATIONS = {"parks": "Parks", "water": "Water works"}
PEOPLE = {
    "orgadmin": ("parks", "admin"),
    "editor": ("parks", "editor"),
    "member": ("parks", "member"),
    "stranger": ("water", "editor"),
    "nobody": ("", ""),
}
"""Organization and capacity. Besides them there is `root`, a sysadmin."""
ROOT = "peeradmin"
"""The account of `root`."""


def email(name: str) -> str:
    return f"{name}@example.org"
