"""Differences that are meant, each with its reason. Rendered into docs/ckan.md; one that no call shows any more fails the
tests."""

from __future__ import annotations

from collections.abc import Iterator

from ckan_diff.kept import Difference, Kept
from ckan_diff.meant_more import MORE
from ckan_diff.meant_rows import ROWS

OURS = "body.result.|body.result[].|body.result[].dict.|body.result[].data.package.|body.result.data.package.|body.result.activities[].data.package.|body.result.packages[].|body.result.package.|body.result.results[]."
"""Where a package stands in an answer."""


def _packages(*names: str) -> str:
    return "|".join(f"{place}{name}" for place in OURS.split("|") for name in names)


KEPT: list[Kept] = [
    Kept(
        "A call that ends in CKAN's 500 is answered with what is wrong",
        "An error of the server helps no client; ours says the field and the reason, with 404 or 409.",
        paths="*",
        broken=True,
    ),
    Kept(
        "Who may not see a thing is told that it is not there (404), CKAN says that access is denied (403)",
        "A name or an id that is refused tells strangers that there is a draft, and whose.",
        paths="status|body.error.__type|body.error.message",
        statuses=(404, 403),
    ),
    Kept(
        "People of an organization or a group are shown to those who work for it and to sysadmins, accounts to those who have one",
        "Names of civil servants are no open data; the public gets an empty list.",
        paths="body.result.users|body.result[].users|body.result",
        actions="organization_*|group_show|group_list|group_create|group_patch|group_update|member_list|user_*",
        whom=True,
    ),
    Kept(
        "`last_active` is null",
        "When somebody worked last is their own and their employer's business.",
        paths="*.last_active",
    ),
    Kept(
        "A dataset always has a licence: CC BY 4.0 until another one is named",
        "Data without a licence may not be used by anybody; reviewers see that it was filled in.",
        paths=_packages("license_id", "license_title", "license_url", "isopen"),
    ),
    Kept(
        "A licence's address is that of its own text",
        "CKAN's addresses lead to a list of licences that is not kept any more.",
        paths=_packages("license_url"),
    ),
    Kept(
        "A package has extras that tell what the platform knows: `identifier` (of the inventory line), `publisher_id`, `issued`",
        "ckanext-dcat reads them by these names; they are no news when they come back.",
        paths="*extras.identifier|*extras.issued|*extras.publisher_id",
        adds=True,
    ),
    Kept(
        "What is not public says where it stands: `release_state`, `release_sentence`",
        "A client that waits for a review must be able to see how far it has come.",
        paths=_packages("release_state", "release_sentence"),
        adds=True,
    ),
    Kept(
        "An upload has its SHA-256 as `hash`",
        "It is what a reader can check a download against.",
        paths="*.hash",
    ),
    Kept(
        "An edited organization or group is answered without its `packages`",
        "CKAN sends up to 1,000 packages back for a changed title.",
        paths="body.result.packages",
        actions="organization_update|organization_patch|group_update|group_patch",
        lacks=True,
    ),
    Kept(
        "Numbers of datasets count what is public, for everybody",
        "One number, whoever asks; drafts are listed by package_search with `include_private`.",
        paths="*package_count|*number_created_packages|body.result.packages",
    ),
    Kept(
        "A dataset without notes has its title as its description until somebody writes one",
        "Nothing goes out without a description, and clients that send none would never get through.",
        paths=_packages("notes"),
    ),
    Kept(
        "A text that was set to nothing is null, as one that was never set",
        "The platform keeps no difference between the two.",
        paths=_packages("notes") + "|*.description|*.url_type",
    ),
    Kept(
        "`name_or_id` is taken by package_show",
        "CKAN asks for it in its error and then refuses it.",
        paths="*",
        calls='*package_show {"name_or_id"*',
    ),
    Kept(
        "A group that there is not is an error for sysadmins too",
        "CKAN drops it in silence, and the dataset is in no group.",
        paths="*",
        calls='root json package_create {"groups"*',
    ),
    Kept(
        "Anybody who may edit an organization's datasets may bring their own id, and a wrong one is called so",
        "`ckanapi load` carries ids over; an id that exists is always refused.",
        paths="body.error.id*|body.error.name",
        calls='editor json package_create {"id"*',
    ),
    Kept(
        "A value of the wrong type is refused under its field",
        "CKAN makes a text of it that nobody meant, or fails.",
        paths="*",
        calls='*package_create*"url": ["list"]*|*package_search {"q": [*|*package_search {"q": {*',
    ),
    Kept(
        "The name of a deleted dataset stays taken until it is purged",
        "What it was is still in the audit trail and can be restored under its name.",
        paths="*",
        calls='editor json package_create {"name": "bare"*',
    ),
    Kept(
        "A deleted dataset reads as private",
        "It is shown to its own people alone, and nothing of it is public.",
        paths="body.result.private",
        calls='editor json package_show {"id": "bare"}|root json package_show {"id": "one"}',
    ),
    Kept(
        "Files of tables are loaded by the platform itself: `datastore_active` is true soon after an upload",
        "CKAN needs an extension for it.",
        paths="*datastore_active",
    ),
    Kept(
        "An upload's address ends in the name of the file that was uploaded last",
        "CKAN keeps any name that a client sends.",
        paths="body.result.url|body.result.resources[].url",
        calls="*resource_update*still a file*|*package_show*",
        areas="resources",
    ),
    Kept(
        "A resource that became a link has no facts of the file that it was",
        "CKAN goes on showing the date and the type of a file that is not there.",
        paths="*last_modified|*mimetype|*size",
        areas="resources",
    ),
    Kept(
        "What is gone is not found, without a word whether it ever was",
        "As with everything that a caller may not see.",
        paths="*",
        calls="*resource_show*map.id*|*resource_delete*map.id*",
    ),
    Kept(
        "A capacity that there is not is refused by member_create",
        "CKAN stores any text, and the person can do nothing.",
        paths="*",
        calls='*member_create {"capacity": "odd"*',
    ),
    Kept(
        "member_list names the people to those who work there, and only public datasets",
        "As above; and a list of ids would tell of drafts.",
        paths="body.result",
        actions="member_list",
    ),
    Kept(
        "The public is refused before anything is looked up",
        "Else the text of the refusal tells which names there are.",
        paths="body.error.message",
        calls="public json member_create*|public json *_member_*",
    ),
    Kept(
        "A list by number of datasets has those without any, too",
        "CKAN leaves them out of this order alone.",
        paths="body.result",
        calls='*_list*"sort": "package_count"*',
    ),
    Kept(
        "A deleted group is gone from its datasets",
        "CKAN goes on showing it in package_show.",
        paths="body.result.groups",
        areas="groups",
    ),
    Kept(
        "Organizations of somebody else are listed for sysadmins only",
        "For whom a person works is not everybody's business.",
        paths="*",
        calls='editor json organization_list_for_user {"id"*',
    ),
    Kept(
        "Accounts are shown to those who have one, and listed for sysadmins",
        "As with the people of an organization.",
        paths="*",
        calls="public json user_*|editor json user_list*",
        areas="users",
    ),
    Kept(
        "Accounts are found in the order of their names",
        "CKAN's order is the database's.",
        paths="body.result[]*",
        actions="user_autocomplete",
    ),
    Kept(
        "A password has at least 10 characters",
        "The platform's own rule (docs/governance.md).",
        paths="body.error.password*",
    ),
    Kept(
        "user_invite makes the account even where no mail can be sent",
        "The invitation is a notice; the person gets a way to sign in from a sysadmin.",
        paths="*",
        actions="user_invite",
    ),
    Kept(
        "Tags are those of public datasets",
        "CKAN also lists tags that only private datasets have.",
        paths="body.result|body.result.count|body.result.results",
        actions="tag_list|tag_search|tag_autocomplete",
        areas="tags",
    ),
    Kept(
        "A tag of datasets cannot be deleted by itself",
        "What was published keeps the words under which it went out.",
        paths="*",
        calls='root json tag_delete {"id": "road"}',
    ),
    Kept(
        "status_show tells this site's title, description and language",
        "It is another site.",
        paths="body.result.site_title|body.result.site_description|body.result.locale_default",
        actions="status_show",
    ),
    Kept(
        "Every answer may be read by pages of any site; CKAN says so only when it is asked",
        "No cookie is looked at, so a page gets nothing that it could not get by itself. Answers that depend on the caller are not kept by caches.",
        paths="headers.*",
    ),
    Kept(
        "A body that is no JSON object is refused in words of our own",
        "CKAN prints the object of its own library.",
        paths="body",
        actions="package_show",
        areas="site",
    ),
    Kept(
        "JSON is taken under any content type",
        "Clients that name none, or a wrong one, mean JSON.",
        paths="*",
        calls="public raw package_show*",
        areas="site",
        statuses=(404, 415),
    ),
    Kept(
        "An address without an action is answered in the envelope",
        "CKAN sends a page of HTML.",
        paths="body.*",
        calls="*/api/3/action/ *",
    ),
    # -- search
    Kept(
        "A query that cannot be read is refused in words of our own",
        "CKAN's text is the whole request to Solr.",
        paths="body.error.message",
        actions="package_search",
    ),
    Kept(
        "A bound that is no number is refused",
        "CKAN finds nothing, in silence.",
        paths="*",
        calls="*num_resources:[a TO b]*",
    ),
    Kept(
        "`q=*` finds everything",
        "People mean so; CKAN looks for a star.",
        paths="body.result*",
        calls='*"q": "\\*"}',
    ),
    Kept(
        "A word with hyphens or dots is found whole",
        "CKAN finds its parts, so that another year's name is found too.",
        paths="body.result*",
        calls='*"q": "water-quality-2024"}|*"q": "crossings.csv"}',
    ),
    Kept(
        "Formats are found in any case",
        "Nobody knows how a format was written.",
        paths="body.result*",
        calls='*"res_format:csv"}',
    ),
    Kept(
        "A wildcard is compared with the whole word",
        "CKAN compares it with the stem that its analysis leaves.",
        paths="body.result*",
        calls='*"title:ap\\?le"}',
    ),
    Kept(
        "`~` after a word or a phrase is read and passed over",
        "Both engines find the same exact words; likeness is for the portal's own search.",
        paths="body.result*",
        calls='*zebr~1"}|*~5"}',
    ),
    Kept(
        "An `OR` in `fq` counts as in `q`",
        "CKAN puts a `+` clause of its own before the text, and so makes every `OR` in it meaningless.",
        paths="body.result*",
        calls='*"fq": "tags:roads OR tags:water"}|*"fq": "tags:water || tags:roads"}',
    ),
    Kept(
        "Licences that were filled in are found and counted",
        "As they are shown.",
        paths="body.result*",
        calls='*license_id:cc\\*"}|*"facet.field"*',
    ),
    Kept(
        "A sort without a direction goes up",
        "CKAN refuses it.",
        paths="*",
        calls='*"sort": "name"}',
    ),
    Kept(
        "Sorting by what cannot be sorted by is refused",
        "CKAN sorts by any name, even by one that no dataset has; the index sorts by name, title, dates and the number of resources.",
        paths="*",
        calls='*"sort": "odd_field asc"}|*"sort": "license_id asc, name asc"}',
    ),
    Kept(
        "`facet.field` may be one name",
        "CKAN wants a list, in JSON.",
        paths="*",
        calls='*"facet.field": "tags"*',
    ),
    Kept(
        "`include_drafts` also finds what is private",
        "Here both are the same: a release that is not out.",
        paths="body.result*",
        calls='*"include_drafts"*',
    ),
    *ROWS,
    *MORE,
]


def which(seen: Difference) -> Iterator[Kept]:
    return (kept for kept in KEPT if kept.covers(seen))
