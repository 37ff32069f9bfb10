"""docs/ckan.md lists the actions, how they are compared with CKAN's, and every difference that is meant."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "compat")]

from ckan_diff.areas import AREAS  # noqa: E402 - after the path, where it is run by itself
from ckan_diff.meant import KEPT  # noqa: E402

from opendata.compat.ckan.api import ACTIONS  # noqa: E402

PAGE = ROOT / "docs" / "ckan.md"
HEAD = """# CKAN's Action API

CKAN's clients work on this platform unchanged: `/api/3/action/NAME` by GET, by POST with JSON, as a form, as multipart with a
file, and with JSON as the only key of a form, answered in CKAN 2.12's envelope with its statuses, kinds of errors and words.
Every change enters by the platform's own services: with the policy `direct` it is public at once, with `reviewed` it goes into
the open draft, and the public sees nothing of it in any action, count, facet or autocomplete before two people have passed it.
An id is never given twice: what was purged keeps its row for the audit trail, and only its name is free again.

The code is `opendata/compat/ckan/`: `api.py` (HTTP, the table of actions), `wire.py` (envelope, arguments), `packages.py` and
`fields.py` (packages out and in), a file for each kind of thing (`datasets.py`, `resources.py`, `organizations.py`, `groups.py`,
`users.py`, `search.py`), and a room for what is more than a file: `people/` members and accounts, `terms/` tags and
vocabularies, `previews/` resource views, `finding/` autocomplete and resource_search, `revising/` package_revise and bulk changes,
`following/` who follows what, `activities/` what happened, `tasks/` what outside programs and sysadmins ask for, `datastore/` rows
(docs/datastore.md), `migration/` a whole CKAN that moves here (docs/migration.md). All 169 actions of CKAN 2.12's core, activity and
datastore are there (a test holds the list); those that are refused to everybody are in `refused.py`, each with its reason.

## Activities

An activity is a line of the audit trail; there is no second record. Of datasets everybody is told what went out, as it went out: the
data of an activity is that release, a difference compares two of them. Edits of a draft are no activities before they go out; the
creation of what never went out, withdrawals and deletions are told to a dataset's own people, and what a withdrawal took back stays
back. Groups and organizations are told as they are now. Names of people, and what somebody did, are for those who have an account.
What a sysadmin records by activity_create is for sysadmins. Nothing of it is deleted: the audit trail is kept whole.

## Collaborators

An organization's admins name people who work on one dataset without working for the organization: an `editor` edits the draft and its
files, here, in the API and in the console; a `member` reads the draft. What a collaborator edits stays a draft until an editor of the
organization hands it in, with either policy; it withdraws, deletes and moves nothing; and who edited a draft reviews none of it.

## The search language of `package_search`

`q` without a colon is words (dismax): of up to two both must be there, of three to five one may be missing, of more every fifth;
`+word`, `-word`, `"a phrase"`. With a colon, and `fq` always, it is Lucene's language: `field:word`, `field:"a phrase"`,
`field:(a OR b)`, `[low TO high]`, `{low TO high}`, `*` for an open end, `NOW-7DAYS`, `NOW/DAY`, `+`, `-`, `!`, `AND`, `OR`, `NOT`,
`&&`, `||`, brackets, `*` and `?` anywhere in a word, `field:*`, `*:*`, a backslash before any sign. It is read into a tree with
limits (10,000 characters, 500 terms, 7 brackets deep) and never handed to an engine as text; both engines find the same.
Who calls with a token finds at once what they wrote; the public finds it a moment later.
Fields: `name`, `title`, `notes`, `tags`, `groups`, `organization`, `owner_org`, `author`, `maintainer`, `license_id`, `res_format`,
`res_name`, `res_description`, `metadata_created`, `metadata_modified`, `num_resources`, `title_string`, `id`, `text`, `version`, `url`,
`author_email`, `maintainer_email`, `creator_user_id`, `state`, `private`, `type`, and every extra by its key, alone or after `extras_`.

## How it is compared with CKAN
"""


def page() -> str:
    return "\n".join([HEAD, *_compared(), "", *_actions(), "", *_meant(), ""])


def _compared() -> Iterator[str]:
    total = sum(map(len, AREAS.values()))
    yield f"`tests/compat/ckan_diff` makes {total} calls to CKAN 2.12 and to this platform and compares status, envelope, keys and values"
    yield "(ids, times and addresses by their places). CKAN's answers are recorded, so the tests run without it; `make ckan-diff` installs"
    yield "and starts a CKAN (`deploy/peers/ckan`; `PEER_ROOT`: one that runs already) and asks it anew. With the other"
    yield "tests of `services` it also runs on PostgreSQL, S3 and Elasticsearch, with the same answers. Real clients (ckanapi, frictionless,"
    yield "a harvester's requests) are in `tests/compat/ckan/test_clients.py`; [CKAN's API by curl](ckan-by-curl.md) is a page that a test runs."
    yield ""
    yield "| area | calls |"
    yield "| --- | --- |"
    yield from (f"| {area} | {len(calls)} |" for area, calls in sorted(AREAS.items()))


def _actions() -> Iterator[str]:
    yield "## Actions"
    yield ""
    yield "| action | what it does |"
    yield "| --- | --- |"
    for name in sorted(ACTIONS):
        told = " ".join((inspect.getdoc(ACTIONS[name].function) or "").split())
        yield f"| {name} | {told.replace('|', '/')} |"


def _meant() -> Iterator[str]:
    yield "## What differs on purpose"
    yield ""
    yield "| difference | reason |"
    yield "| --- | --- |"
    yield from (f"| {kept.what} | {kept.reason} |" for kept in KEPT)


def test_the_page_is_true() -> None:
    assert PAGE.read_text("utf-8") == page(), "docs/generate/ckan.py writes it anew"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
