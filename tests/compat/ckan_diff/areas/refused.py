"""What this platform refuses to everybody, and relations between datasets."""

from __future__ import annotations

from ckan_diff.calls import Call, call, get

_FUNCTION = {"name": "f", "rettype": "trigger", "definition": "BEGIN RETURN NEW; END;"}

CALLS: list[Call] = [
    call("package_create", "editor", name="wells", owner_org="parks", keep="wells"),
    call("package_create", "editor", name="ponds", owner_org="parks"),
    call("package_relationships_list", "editor", id="wells"),
    get("package_relationships_list", id="wells"),
    call("package_relationships_list", "editor", id="wells", id2="ponds"),
    call("package_relationships_list", "editor", id="nothing"),
    call("package_relationships_list", "editor", id="wells", id2="nothing"),
    call("package_relationships_list", "editor"),
    call("package_relationship_create", subject="wells", object="ponds", type="depends_on"),
    call("package_relationship_create", "editor", subject="wells", object="ponds", type="depends_on"),
    call("datastore_function_create", "editor", **_FUNCTION),
    call("datastore_function_create", **_FUNCTION),
    call("datastore_function_create", "root", **_FUNCTION),
    call("datastore_function_delete", "editor", name="f"),
    call("datastore_function_delete", name="f"),
    call("file_show", id="nothing"),
    call("file_show", "editor", id="nothing"),
    call("file_register", "editor", location="a.txt"),
    call("file_register", location="a.txt"),
    call("file_delete", id="nothing"),
    call("file_pin", "editor", id="nothing"),
]  # fmt: skip
