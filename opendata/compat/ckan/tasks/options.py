"""Actions on options of the site. They are settings of the installation: read here, written where it is installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from opendata.compat.ckan.wire import Call, denied, require, wrong
from opendata.settings import Settings

_OPTIONS: Mapping[str, Callable[[Settings], str]] = {
    "ckan.site_title": lambda settings: settings.site_title,
    "ckan.site_description": lambda settings: settings.site_title_zh,
    "ckan.site_url": lambda settings: settings.site_url,
    "ckan.site_about": lambda _: "",
    "ckan.site_intro_text": lambda _: "",
    "ckan.site_custom_css": lambda _: "",
    "ckan.site_logo": lambda settings: f"{settings.site_url}/static/logo.svg",
    "ckan.theme": lambda _: "",
}
"""CKAN's own list, without the two that only carry an upload of a logo."""


def config_option_list(call: Call) -> list[str]:
    """Names of the options that config_option_show tells, for sysadmins."""
    _need_sysadmin(call)
    return list(_OPTIONS)


def config_option_show(call: Call) -> str:
    """What an option is set to, for sysadmins. `key`."""
    _need_sysadmin(call)
    key = require(call.args, "key")
    if key not in _OPTIONS:
        raise wrong({"message": f"Configuration option '{key[:200]}' can not be shown"})
    return _OPTIONS[key](call.parts.settings)


def config_option_update(call: Call) -> dict[str, str]:
    """Changes no option: the portal's names stand in its settings, for all of its servers. Without any, it answers so."""
    _need_sysadmin(call)
    if named := " ".join(sorted(call.args)):
        raise wrong({"message": f"Configuration option(s) '{named[:1000]}' can not be updated"})
    return {}


def _need_sysadmin(call: Call) -> None:
    if not call.work.actor.sysadmin:
        raise denied()
