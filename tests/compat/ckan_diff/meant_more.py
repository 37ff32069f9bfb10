"""Differences that are meant of follows, outside tasks, jobs, options, collaborators and activities."""

from __future__ import annotations

from ckan_diff.kept import Kept

MORE: list[Kept] = [
    Kept(
        "How many follow a person, and how many things a person follows, is told to those who have an account",
        "As every fact about accounts.",
        paths="status|body.*",
        actions="user_follower_count|*followee_count",
        calls="public*",
    ),
    Kept(
        "A number of followees is of what the action's name says",
        "CKAN 2.12 counts organizations in every one of them.",
        paths="body.result",
        actions="*followee_count",
    ),
    Kept(
        "Followed groups and organizations are told without their datasets and people, and with the number of followers",
        "Up to 1,000 datasets each, for a list of names; group_show and organization_show tell them.",
        paths="*.dict.extras|*.dict.groups|*.dict.packages|*.dict.users|*.dict.num_followers|body.result[].extras|body.result[].groups|body.result[].packages|body.result[].users|body.result[].num_followers",
        actions="followee_list|group_followee_list|organization_followee_list",
    ),
    Kept(
        "States of outside tasks are shown to sysadmins, who write them",
        "What a loader reports of a file (its columns, its rows in error) may be of one that is not public.",
        paths="*",
        actions="task_status_show",
        calls="public*|editor*",
    ),
    Kept(
        "Options of the site are read, and not written",
        "The portal's names stand in its settings, for all of its servers and in two languages; a change of them is a matter of its operator.",
        paths="*",
        actions="config_option_*",
    ),
    Kept(
        "Activities do not tell the public the name of who did it",
        "Names of civil servants are no open data; those who have an account get it.",
        paths="*.data.actor|body.result.actor",
        calls="public*",
        lacks=True,
    ),
    Kept(
        "What somebody did is told to those who have an account",
        "As every fact about accounts.",
        paths="status|body.*",
        actions="user_activity_list",
        calls="public*",
    ),
    Kept(
        "What went out once can be read and compared by everybody who sees the dataset",
        "Old releases are public here too; CKAN shows them to those who may edit.",
        paths="status|body.*",
        actions="activity_data_show|activity_diff",
        calls="public*|stranger*",
    ),
    Kept(
        "A difference counts the lines of what is compared, and those of a filled-in licence",
        "As the packages themselves.",
        paths="body.result.diff",
        actions="activity_diff",
    ),
    Kept(
        "What an operator did by a command is nobody's",
        "The system has no account.",
        paths="*.user_id",
        actions="*_activity_list",
    ),
    Kept(
        "Activities are counted as the audit trail has them",
        "It also has those of the accounts and organizations that an operator made.",
        paths="body.result.total",
        actions="activity_delete_counts",
    ),
    Kept(
        "What happened to a dataset is told to nobody but its own people once it is deleted, and reads as private",
        "Nothing of it is public any more.",
        paths="body.result|body.result[].data.package.private",
        actions="recently_changed_packages_activity_list|package_activity_list",
    ),
    Kept(
        "A change of many datasets names an organization that there is",
        "CKAN does nothing, and says that it worked.",
        paths="status|body.*",
        actions="bulk_update_*",
        calls='root json bulk_update_* {"datasets": ["${one.id}"]}|root json bulk_update_* {"datasets": ["${one.id}"], "org_id": "nothing"}',
    ),
    Kept(
        "A change of many datasets takes names, too, and the organization's",
        "As every other action; CKAN does nothing, and says that it worked.",
        paths="status|body.*",
        areas="collaborators",
        calls='public json package_show {"id": "${one.id}"}',
    ),
    Kept(
        "Relations between packages, files without a resource, and functions in the database are refused to everybody, with the reason",
        "Relations and files would go past the reviews; nobody's code runs in the database.",
        paths="status|body.*",
        actions="package_relationship_*|file_*|datastore_function_*",
        areas="refused",
    ),
    Kept(
        "A dataset has only those terms of a vocabulary that the vocabulary has",
        "Sysadmins keep vocabularies; in CKAN every editor adds to them by tagging.",
        paths="status|body.success|body.error|body.result",
        areas="tagging",
        calls='editor json package_create *"mauve"*|public json tag_list {"vocabulary_id": "${colours.id}"}',
    ),
    Kept(
        "The terms of a vocabulary that ended are no tags any more",
        "As with a term that is deleted; CKAN cannot end a vocabulary that has terms.",
        paths="body.result.num_tags|body.result.tags",
        areas="tagging",
        calls='public json package_show {"id": "one"}',
    ),
]
