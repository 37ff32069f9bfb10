"""The actions of this room, for the table of actions."""

from __future__ import annotations

from opendata.compat.ckan.tasks import jobs, options, statuses, translations

READING = (
    statuses.task_status_show, translations.term_translation_show, jobs.job_list, jobs.job_show,
    options.config_option_list, options.config_option_show,
)  # fmt: skip
CHANGING = (
    statuses.task_status_update, statuses.task_status_update_many, statuses.task_status_delete,
    translations.term_translation_update, translations.term_translation_update_many,
    jobs.job_cancel, jobs.job_clear, options.config_option_update,
)  # fmt: skip
