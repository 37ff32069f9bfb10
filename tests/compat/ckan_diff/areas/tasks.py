"""States of outside tasks, translations of terms, jobs, options of the site, and what only a sysadmin asks for."""

from __future__ import annotations

from ckan_diff.calls import Call, call, get, sent

_TASK = {"entity_id": "abc", "entity_type": "resource", "task_type": "xloader", "key": "xloader"}


def _task(by: str, **more: object) -> Call:
    return call("task_status_update", by, keep="task", **{**_TASK, "value": "{}", "state": "pending", **more})


_STATUSES: list[Call] = [
    _task("root"),
    _task("editor"),
    _task("public"),
    call("task_status_show", "root", id="${task.id}"),
    call("task_status_show", "editor", id="${task.id}"),
    call("task_status_show", id="${task.id}"),
    get("task_status_show", "root", id="${task.id}"),
    call("task_status_show", "root", entity_id="abc", task_type="xloader", key="xloader"),
    call("task_status_show", "root", entity_id="abc", task_type="xloader", key="other"),
    call("task_status_show", "root", entity_id="abc", task_type="xloader"),
    call("task_status_show", "root", entity_id="abc"),
    call("task_status_show", "root"),
    call("task_status_show", "root", id="nothing"),
    _task("root", id="${task.id}", state="complete", error="None", last_updated="2026-11-26T10:00:00.000001"),
    _task("root", id="nothing"),
    call("task_status_update", "root", entity_id="abc"),
    call("task_status_update", "root", **{**_TASK, "key": ""}, value="x"),
    call("task_status_update", "root", **{**_TASK, "key": "novalue"}),
    call("task_status_update_many", "root", data=[{**_TASK, "key": "a", "value": "1"}, {**_TASK, "key": "b", "value": "2"}]),
    call("task_status_update_many", "editor", data=[{**_TASK, "key": "c", "value": "1"}]),
    call("task_status_update_many", "root"),
    call("task_status_update_many", "root", data=[]),
    call("task_status_update_many", "root", data=[{"key": "a"}]),
    call("task_status_show", "root", entity_id="abc", task_type="xloader", key="b"),
    call("task_status_delete", "editor", id="${task.id}"),
    call("task_status_delete", id="${task.id}"),
    call("task_status_delete", "root", id="${task.id}"),
    call("task_status_delete", "root", id="${task.id}"),
    call("task_status_delete", "root"),
    call("task_status_show", "root", id="${task.id}"),
]  # fmt: skip

_TERMS: list[Call] = [
    call("term_translation_update", "root", term="park", term_translation="公园", lang_code="zh"),
    call("term_translation_update", "root", term="park", term_translation="公园 2", lang_code="zh"),
    call("term_translation_update", "root", term="park", term_translation="Park", lang_code="de"),
    call("term_translation_update", "editor", term="park", term_translation="Parc", lang_code="fr"),
    call("term_translation_update", term="park", term_translation="Parc", lang_code="fr"),
    call("term_translation_update", "root", term="park", lang_code="fr"),
    call("term_translation_update", "root", term="", term_translation="x", lang_code=""),
    call("term_translation_update", "root"),
    call("term_translation_show", "editor", terms=["park"]),
    sent("term_translation_show", "editor", {"terms": ["park", "tree"]}, unordered=("result",)),
    call("term_translation_show", "editor", terms="park", lang_codes="de"),
    call("term_translation_show", "editor", terms=["park"], lang_codes=["zh"]),
    call("term_translation_show", terms=["park"], lang_codes=["zh"]),
    get("term_translation_show", "editor", terms="park", lang_codes="zh"),
    call("term_translation_show", "editor", terms=["nothing"]),
    call("term_translation_show", "editor"),
    call("term_translation_update_many", "root", data=[{"term": "tree", "term_translation": "树", "lang_code": "zh"}, {"term": "lake", "term_translation": "湖", "lang_code": "zh"}]),
    call("term_translation_update_many", "editor", data=[{"term": "tree", "term_translation": "x", "lang_code": "zh"}]),
    call("term_translation_update_many", "root", data=[{"term": "tree"}]),
    call("term_translation_update_many", "root", data=[]),
    call("term_translation_update_many", "root", data="x"),
    call("term_translation_update_many", "root"),
    sent("term_translation_show", "editor", {"terms": ["tree", "lake"]}, unordered=("result",)),
]  # fmt: skip

_JOBS: list[Call] = [
    call("job_list", "root"),
    get("job_list", "root"),
    call("job_list", "root", queues=["default"]),
    call("job_list", "root", queues=["other"]),
    call("job_list", "root", ids_only=True),
    call("job_list", "root", limit=1),
    call("job_list", "root", limit="x"),
    call("job_list", "root", queues=7),
    call("job_list", "editor"),
    call("job_list"),
    call("job_show", "root", id="nothing"),
    call("job_show", "root"),
    call("job_show", "editor", id="nothing"),
    call("job_show", id="nothing"),
    call("job_cancel", "root", id="nothing"),
    call("job_cancel", "root"),
    call("job_cancel", "editor", id="nothing"),
    call("job_cancel", id="nothing"),
    call("job_clear", "editor"),
    call("job_clear"),
    call("job_clear", "root", queues="x"),
]

_OPTIONS: list[Call] = [
    sent("config_option_list", "root", {}, unordered=("result",)),
    sent("config_option_list", "root", {}, how="get", unordered=("result",)),
    call("config_option_list", "editor"),
    call("config_option_list"),
    sent("config_option_show", "root", {"key": "ckan.site_title"}, as_type=("result",)),
    sent("config_option_show", "root", {"key": "ckan.site_description"}, as_type=("result",)),
    call("config_option_show", "root", key="ckan.site_about"),
    call("config_option_show", "root", key="ckan.site_intro_text"),
    call("config_option_show", "root", key="sqlalchemy.url"),
    call("config_option_show", "root", key="nothing"),
    call("config_option_show", "root"),
    call("config_option_show", "editor", key="ckan.site_title"),
    call("config_option_show", key="ckan.site_title"),
    call("config_option_update", "root", **{"ckan.site_title": "Our data", "ckan.site_description": "All of it"}),
    call("config_option_show", "root", key="ckan.site_title"),
    sent("status_show", "public", {}, as_type=("result.site_url", "result.extensions", "result.ckan_version", "result.locale_default", "result.error_emails_to")),
    call("config_option_update", "editor", **{"ckan.site_title": "x"}),
    call("config_option_update", **{"ckan.site_title": "x"}),
    call("config_option_update", "root", **{"sqlalchemy.url": "x"}),
    call("config_option_update", "root", **{"ckan.site_title": "x", "nothing": "y"}),
    call("config_option_update", "root", **{"ckan.homepage_style": "4"}),
    call("config_option_update", "root", **{"ckan.site_custom_css": "body {}"}),
    call("config_option_update", "root", **{"ckan.site_title": 7}),
    call("config_option_update", "root", **{"ckan.site_title": ""}),
    call("config_option_update", "root"),
]  # fmt: skip

CALLS: list[Call] = [*_STATUSES, *_TERMS, *_JOBS, *_OPTIONS]
