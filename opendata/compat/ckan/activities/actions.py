"""The actions of this room, for the table of actions."""

from __future__ import annotations

from opendata.compat.ckan.activities import dashboard, single, streams, trail

READING = (
    streams.package_activity_list, streams.group_activity_list, streams.organization_activity_list,
    streams.user_activity_list, streams.recently_changed_packages_activity_list, single.activity_show,
    single.activity_data_show, single.activity_diff, dashboard.dashboard_activity_list,
    dashboard.dashboard_new_activities_count,
)  # fmt: skip
CHANGING = (
    single.activity_create, dashboard.dashboard_mark_activities_old, dashboard.send_email_notifications,
    trail.activity_delete, trail.activity_delete_all, trail.activity_delete_counts,
)  # fmt: skip
