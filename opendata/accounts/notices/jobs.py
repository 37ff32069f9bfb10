"""E-mails of notices: asked for in the transaction that marks them, sent by a job that is tried until the mailer takes it."""

from __future__ import annotations

from datetime import timedelta

from opendata.accounts.models import User
from opendata.accounts.notices import queries
from opendata.accounts.notices.models import Notice
from opendata.accounts.notices.sentences import sentence
from opendata.edge.messages import LANGUAGES
from opendata.ports.mailer.port import Mail, Mailer
from opendata.work.actor import SYSTEM
from opendata.work.unit import Work, Workplace

STALE = timedelta(days=2)
"""What is older when a mailer comes is not sent any more: it stands on the console."""


def ask(work: Work) -> None:
    """A job for each notice that has no e-mail yet."""
    for notice in queries.unmailed(work):
        notice.mailed_at = work.now
        if work.now - notice.at < STALE:
            work.enqueue("accounts.mail", {"notice_id": notice.id}, key=f"mail:{notice.id}")


def mail(place: Workplace, mailer: Mailer | None, site_url: str, *, notice_id: str) -> None:
    """Sends one notice, in both languages. `Unavailable` from the mailer waits and tries again."""
    with place.reading(SYSTEM) as work:
        notice = work.session.get(Notice, notice_id)
        user = work.session.get(User, notice.user_id) if notice else None
    if mailer is None or notice is None or user is None or not user.active or not user.email:
        return
    told = {language: sentence(notice, language) for language in LANGUAGES}
    lines = [
        line for language, text in told.items() for line in (text, f"{site_url}/{language}{notice.path}", "")
    ]
    mailer.send(Mail(id=notice.id, to=user.email, subject=told["zh"][:200], text="\n".join(lines)))
