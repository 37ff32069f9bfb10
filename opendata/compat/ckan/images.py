"""Images of organizations and groups: taken with `image_upload`, kept by their hash, sent as what their first bytes say."""

from __future__ import annotations

import re

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from opendata.access.download import Sending, respond
from opendata.agencies.models import Agency
from opendata.catalog.files import Stores, copy_object
from opendata.catalog.models import Group, Image
from opendata.catalog.views import FileView
from opendata.compat.ckan.wire import Call, flag, text_of, wrong
from opendata.core.errors import NotFound
from opendata.edge.uploads import ReceivedFile
from opendata.settings import Settings
from opendata.work.unit import Work

LARGEST = 2 << 20
"""Bytes (CKAN's ckan.max_image_size)."""
PLACE = "/uploads/group/"
_NAME = re.compile(r"([0-9a-f]{64})\.(png|jpg|gif|webp)")
_KINDS = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "png", "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "jpg", "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "gif", "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "webp", "image/webp"),
)
"""Beginnings, endings of names, media types. No SVG: it can hold programs."""


def taken(call: Call) -> dict[str, str]:
    """`image_url` after what the client sent: the place of its upload, or nothing if it wants the upload gone. Called once
    the caller may change the thing."""
    received = call.files.get("image_upload")
    if received is not None:
        return {"image_url": _keep(call, received)}
    given = text_of(call.args, "image_url")
    if flag(call.args, "clear_upload") and (not given or given.startswith(PLACE)):
        return {"image_url": ""}
    return {}


def dropped(work: Work, image_url: str) -> None:
    """An image that was shown until now: if nothing shows it any more, its address ends, and upkeep takes its bytes."""
    name = _NAME.fullmatch(image_url.removeprefix(PLACE))
    kept = None if name is None else work.session.get(Image, name[1])
    if kept is None:
        return
    shown = (select(kind.id).where(kind.image_url == image_url).limit(1) for kind in (Agency, Group))
    if not any(work.session.execute(query).first() for query in shown):
        work.session.delete(kept)


def displayed(image_url: str, site_url: str) -> str:
    """The whole address of an image."""
    return site_url + image_url if image_url.startswith(PLACE) else image_url


def send(request: Request, work: Work, name: str, stores: Stores, settings: Settings) -> Response:
    """`NotFound("file_not_found")`."""
    found = _NAME.fullmatch(name)
    image = None if found is None else work.session.get(Image, found[1])
    if image is None or image.name != name:
        raise NotFound("file_not_found", sha256=name[:64])
    file = FileView(image.sha256, image.sha256, image.size, name, image.media_type, image.uploaded_at)
    return respond(request, Sending(file, stores.public, public=True), settings)


def _keep(call: Call, received: ReceivedFile) -> str:
    """The place of an upload, which has streamed into the inbox store."""
    stored, stores = received.stored, call.parts.stores
    if stored.size > LARGEST:
        raise wrong({"image_upload": ["File upload too large"]})
    begins = b"".join(stores.inbox.read(stored.sha256, 0, 16)) if stored.size else b""
    kind = next(((ending, media_type) for looks, ending, media_type in _KINDS if looks.match(begins)), None)
    if kind is None:
        raise wrong({"image_upload": ["Unsupported upload type: send a PNG, JPEG, GIF or WebP image"]})
    copy_object(stores.inbox, stores.public, stored.sha256)
    ending, media_type = kind
    name = f"{stored.sha256}.{ending}"
    if call.work.session.get(Image, stored.sha256) is None:
        call.work.session.add(
            Image(
                sha256=stored.sha256,
                name=name,
                size=stored.size,
                media_type=media_type,
                uploaded_by=call.work.actor.id,
                uploaded_at=call.work.now,
            )
        )
        call.work.session.flush()
    return PLACE + name
