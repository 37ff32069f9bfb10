"""Every GET route and every reading action, and where the test of leaks takes their parameters from."""

from __future__ import annotations

MARK = "zqxhidden"
"""In the title, description, tag, extras, file name, column and cells of everything that is hidden."""
PAGE_READERS = ("public", "another body's session")
CELL = "zqxcell"
"""In the cells of data that is open on a condition: its metadata is public."""

# Where the parameters of a route are taken from (`Hidden.pool`), and query strings to try besides none.
ROUTES: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "/api/v1/openapi.json": ({}, ()),
    "/api/v1/docs": ({}, ()),
    "/healthz": ({}, ()),
    "/readyz": ({}, ()),
    "/metrics": ({}, ()),
    "/api": ({}, ()),
    "/api/": ({}, ()),
    "/api/3": ({}, ()),
    "/api/3/": ({}, ()),
    "/api/3/action/{name}": ({"name": "actions"}, ()),  # with arguments: ACTION_ARGUMENTS
    "/api/action/{name}": ({"name": "actions"}, ()),
    "/dataset/{dataset}/resource/{resource_id}/download/{filename:path}": (
        {"dataset": "datasets", "resource_id": "resources", "filename": "files"},
        (),
    ),
    "/api/v1/agencies": ({}, ("parent=housing",)),
    "/api/v1/agencies/{name}": ({"name": "agencies"}, ()),
    "/api/v1/agencies/{name}/members": ({"name": "agencies"}, ()),
    "/api/v1/me": ({}, ()),
    "/api/v1/tokens": ({}, ()),
    "/api/v1/inventory": ({}, ("agency=housing", "limit=1000")),
    "/api/v1/inventory/{line:path}": ({"line": "lines"}, ()),
    "/api/v1/datasets": ({}, ("agency=housing", "limit=1000", "offset=1")),
    "/api/v1/datasets/{dataset}": ({"dataset": "datasets"}, ()),
    "/api/v1/datasets/{dataset}/releases": ({"dataset": "datasets"}, ()),
    "/api/v1/datasets/{dataset}/releases/{number}": ({"dataset": "datasets", "number": "numbers"}, ()),
    "/api/v1/resources/{resource}": ({"resource": "resources"}, ("draft=true",)),
    "/api/v1/resources/{resource}/download": ({"resource": "resources"}, ("draft=true",)),
    "/api/v1/resources/{resource}/releases/{number}/download": (
        {"resource": "resources", "number": "numbers"},
        (),
    ),
    "/api/v1/resources/{resource}/rows": ({"resource": "resources"}, ("q=" + CELL, f"order={MARK}")),
    "/api/v1/resources/{resource}/report": ({"resource": "resources"}, ("draft=true",)),
    "/api/v1/releases/{release}": ({"release": "releases"}, ()),
    "/api/v1/reviews": ({}, ()),
    "/api/v1/uploads/{upload}": ({"upload": "uploads"}, ()),
    "/api/v1/search": ({}, (f"q={MARK}", "agency=housing", "q=-x", f"keyword={MARK}")),
    "/api/v1/schemas": ({}, ()),
    "/api/v1/schemas/{name}": ({"name": "datasets"}, ()),
    "/catalog": ({}, ()),
    "/catalog.{extension}": ({"extension": "formats"}, ("page=1", "modified_since=2000-01-01T00:00:00")),
    "/dataset/{dataset}.{extension}": ({"dataset": "datasets", "extension": "formats"}, ()),
    "/dataset/{dataset}": ({"dataset": "datasets"}, ()),
    "/data.json": ({}, ()),
    "/sitemap.xml": ({}, ()),
    "/sitemap-{part}.xml": ({"part": "numbers"}, ()),
    "/feed.atom": ({}, ()),
    "/agency/{name}.atom": ({"name": "agencies"}, ()),
    "/robots.txt": ({}, ()),
    "/": ({}, ()),
    "/favicon.ico": ({}, ()),
    "/static/{name}": ({"name": "files"}, ()),
    "/dataset": ({}, ()),
    "/dataset/{name:short}": ({"name": "datasets"}, ()),
    "/dataset/{name:short}/resource/{resource:short}": ({"name": "datasets", "resource": "resources"}, ()),
    "/organization": ({}, ()),
    "/organization/": ({}, ()),
    "/dataset/": ({}, ()),
    "/organization/{name:short}": ({"name": "agencies"}, ()),
    "/{language:language}": ({"language": "languages"}, ()),
    "/{language:language}/": ({"language": "languages"}, ()),
    "/{language:language}/about": ({"language": "languages"}, ()),
    "/{language:language}/search": ({"language": "languages"}, (f"q={MARK}", f"keyword={MARK}")),
    "/{language:language}/agency": ({"language": "languages"}, ()),
    "/{language:language}/agency/{name:short}": ({"language": "languages", "name": "agencies"}, ()),
    "/{language:language}/dataset/{name:short}": ({"language": "languages", "name": "datasets"}, ()),
    "/{language:language}/dataset/{name:short}/releases": ({"language": "languages", "name": "datasets"}, ()),
    "/{language:language}/dataset/{name:short}/release/{number:int}": (
        {"language": "languages", "name": "datasets", "number": "numbers"},
        (),
    ),
    "/{language:language}/sign-in": ({"language": "languages"}, ()),
}
"""Pages of one resource and of the console are added below: they share their parameters."""
_PAGE = "/{language:language}/dataset/{name:short}/resource/{resource_id:short}"
_DESK = "/{language:language}/console"
_FILE = {"language": "languages", "name": "datasets", "resource_id": "resources"}
_DRAFT = {"language": "languages", "dataset": "datasets"}
ROUTES |= {
    _PAGE: (_FILE, (f"order={MARK}",)),
    f"{_PAGE}/report": (_FILE, ()),
    _DESK: ({"language": "languages"}, ()),
    f"{_DESK}/new": ({"language": "languages"}, ()),
    f"{_DESK}/agency": ({"language": "languages"}, ()),
    f"{_DESK}/account": ({"language": "languages"}, ()),
    f"{_DESK}/reviews": ({"language": "languages"}, ()),
    f"{_DESK}/reviews/{{release:short}}": ({"language": "languages", "release": "releases"}, ()),
    f"{_DESK}/agency/{{name:short}}/members": ({"language": "languages", "name": "agencies"}, ()),
    f"{_DESK}/agency/{{name:short}}/edit": ({"language": "languages", "name": "agencies"}, ()),
    f"{_DESK}/agency/{{name:short}}/inventory": (
        {"language": "languages", "name": "agencies"},
        (f"q={MARK}",),
    ),
    f"{_DESK}/agency/{{name:short}}/inventory/new": ({"language": "languages", "name": "agencies"}, ()),
    f"{_DESK}/agency/{{name:short}}/inventory/{{line:short}}": (
        {"language": "languages", "name": "agencies", "line": "lines"},
        (),
    ),
    f"{_DESK}/dataset/{{dataset:short}}/lines": (_DRAFT, (f"q={MARK}",)),
    f"{_DESK}/dataset/{{dataset:short}}": (_DRAFT, ()),
    f"{_DESK}/dataset/{{dataset:short}}/edit": (_DRAFT, ()),
    f"{_DESK}/dataset/{{dataset:short}}/files/{{resource:short}}/download": (
        _DRAFT | {"resource": "resources"},
        (),
    ),
}

ACTION_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "package_show": ("id=datasets", "name_or_id=datasets"),
    "package_list": ("limit=1000",),
    "package_search": (
        f"q={MARK}",
        'rows=1000&facet.field=["tags","organization","groups","license_id","res_format"]',
        "include_private=true&rows=1000",
        "include_drafts=true&include_private=true&include_deleted=true&fq=state:*",
        "fq=name:datasets",
        "fq=id:datasets",
    ),
    "current_package_list_with_resources": ("limit=1000",),
    "package_autocomplete": ("q=" + MARK, "q=zqx"),
    "tag_list": ("query=zqx", "all_fields=true"),
    "tag_show": (f"id={MARK}&include_datasets=true",),
    "organization_list": ("all_fields=true",),
    "organization_show": ("id=housing&include_datasets=true&include_users=true",),
    "organization_list_for_user": ("permission=read",),
    "member_list": ("id=housing",),
    "group_list": ("all_fields=true",),
    "group_show": ("id=themes&include_datasets=true",),
    "resource_show": ("id=resources",),
    "datastore_search": ("resource_id=resources", f"resource_id=resources&q={CELL}"),
    "datastore_info": ("id=resources",),
    "user_show": ("id=editor",),
    "user_list": ("",),
    "api_token_list": ("user_id=editor",),
    "status_show": ("",),
    "help_show": ("name=package_show",),
    "license_list": ("",),
}
