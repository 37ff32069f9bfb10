"""The site, licences, help; and the wire itself: ways to send, ways to err."""

from __future__ import annotations

from ckan_diff.calls import Call, call, get, sent

_HEADERS = ("access-control-allow-origin", "content-type")
CALLS: list[Call] = [
    sent("status_show", "public", {}, how="get", headers=(*_HEADERS, "cache-control"), as_type=("result.extensions",)),
    sent("status_show", "public", {}, as_type=("result.extensions",)),
    sent("license_list", "public", {}, as_type=("result",)),
    sent("license_list", "public", {}, how="get", as_type=("result",)),
    sent("help_show", "public", {"name": "package_show"}, as_type=("result",)),
    sent("help_show", "public", {"name": "package_create"}, how="get", as_type=("result",)),
    call("help_show", name="nothing"),
    call("help_show"),
    get("site_read"),
    call("site_read"),
    get("no_such_thing", "root"),
    get("package_create", "root", name="x"),
    get("organization_delete", "root", id="x"),
    sent("package_show", "public", {}, how="raw", body='{"id":'),
    sent("package_show", "public", {}, how="raw", body="[1]"),
    sent("package_show", "public", {}, how="raw", body='"text"'),
    sent("package_show", "public", {}, how="raw", body=""),
    sent("package_show", "public", {}, how="raw", body='{"id": "nothing"}', content_type="text/plain", as_type=("text",)),
    sent("package_show", "public", {"id": "nothing"}, how="form"),
    sent("package_show", "public", {"id": "nothing"}, how="sole"),
    sent("package_show", "public", {"id": "nothing"}, how="multipart"),
    sent("package_show", "public", {}, how="raw", body='{"id": "nothing"}', content_type="application/x-www-form-urlencoded"),
    sent("status_show", "public", {"callback": "show.it"}, how="get", as_type=("text",), headers=("content-type",)),
    sent("package_show", "public", {"id": "nothing", "callback": "f"}, how="get", headers=("content-type",)),
    sent("status_show", "public", {}, how="get", path="/api/action/status_show", as_type=("result.extensions",)),
    sent("status_show", "public", {}, how="get", path="/api/3"),
    sent("status_show", "public", {}, how="get", path="/api/3/action/", as_type=("text",)),
    call("member_roles_list"),
    call("member_roles_list", group_type="group"),
    call("member_roles_list", group_type="organization"),
    call("get_site_user"),
    call("get_site_user", "editor"),
    call("package_list"),
    call("group_list"),
    call("tag_list"),
    call("vocabulary_list"),
    call("package_search"),
    call("current_package_list_with_resources"),
]  # fmt: skip
