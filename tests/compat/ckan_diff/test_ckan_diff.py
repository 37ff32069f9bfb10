"""This platform answers as CKAN 2.12 did, but for the differences that are meant."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ckan_diff.answers import FOLDER, named, recorded
from ckan_diff.areas import AREAS
from ckan_diff.calls import perform
from ckan_diff.comparing import answer, differences, shaped
from ckan_diff.kept import Difference, Kept
from ckan_diff.meant import KEPT, which
from ckan_diff.people import ORGANIZATIONS, PEOPLE, ROOT, email
from opendata.accounts import service as accounts
from opendata.accounts import tokens as api_tokens
from opendata.agencies import service as agencies
from opendata.compat.ckan.api import ACTIONS
from opendata.work.actor import SYSTEM, Role

SEEN: dict[str, set[Kept]] = {}
"""By area, what its differences were kept for."""
CAPACITIES = {"admin": [Role.ADMIN], "editor": [Role.EDITOR], "member": [Role.MEMBER]}


@pytest.fixture
def people(app: Any) -> dict[str, str]:
    """The people of `people.py` on this platform; their tokens."""
    found = {}
    with app.place.writing(SYSTEM) as work:
        root = accounts.create_user(work, ROOT, email=email(ROOT), sysadmin=True)
        found["root"] = api_tokens.create(work, root, name="peer")[1]
        made = {name: agencies.create(work, name=name, title=title) for name, title in ORGANIZATIONS.items()}
        for name, (organization, capacity) in PEOPLE.items():
            user = accounts.create_user(work, name, email=email(name))
            found[name] = api_tokens.create(work, user, name="test")[1]
            if organization:
                agencies.set_roles(work, made[organization], user, CAPACITIES[capacity])
    return found


def compared(
    area: str, client: Any, people: dict[str, str], settle: Callable[[], None]
) -> Iterator[Difference]:
    """Every difference, call by call."""
    names = named("http://testserver", people)

    def send(method: str, path: str, *, content: bytes | None, headers: dict[str, str]) -> Any:
        return client.request(method, path, content=content, headers=headers)

    for one, theirs in zip(AREAS[area], recorded(area), strict=True):
        ours = shaped(one, answer(one, perform(one, send, people, names.saved), names))
        settle()
        statuses = (ours["status"], theirs["status"])
        for path, mine, other in differences(ours, {k: v for k, v in theirs.items() if k != "call"}):
            yield Difference(area, one.label, one.action, path, mine, other, statuses)


def shown(seen: Difference) -> str:
    ours, theirs = (json.dumps(part, ensure_ascii=False)[:300] for part in (seen.ours, seen.theirs))
    return f"{seen.label}\n    {seen.path}\n    ours:   {ours}\n    theirs: {theirs}"


@pytest.mark.parametrize("overrides", [{"publication_policy": "direct"}])
@pytest.mark.parametrize("area", AREAS)
def test_as_ckan(area: str, client: Any, people: dict[str, str], settle: Callable[[], None]) -> None:
    found = list(compared(area, client, people, settle))
    SEEN.setdefault(area, set()).update(kept for seen in found for kept in which(seen))
    unmeant = [shown(seen) for seen in found if not any(which(seen))]
    assert not unmeant, f"{len(unmeant)} differences\n" + "\n".join(unmeant)


def test_every_action_of_ckan_is_there() -> None:
    """Of core, activity and datastore, as CKAN 2.12.0 registers them; ours besides is one."""
    names = (FOLDER / "actions.txt").read_text("utf-8").split()
    assert len(names) == 169
    assert set(ACTIONS) == {*names, "dataset_submit"}


def test_every_kept_difference_is_one() -> None:
    """What no call shows is no difference any more."""
    if SEEN.keys() != AREAS.keys():
        pytest.skip("only some areas were compared in this process")
    unused = [kept.what for kept in KEPT if kept not in set().union(*SEEN.values())]
    assert not unused
