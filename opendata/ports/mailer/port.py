"""What we ask of a mailer. Sending twice what has the same id is allowed: a job may be repeated, readers drop doubles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Protocol


@dataclass(frozen=True)
class Mail:
    id: str
    to: str
    subject: str
    text: str

    def message(self, sender: str) -> EmailMessage:
        """As RFC 5322 has it; line breaks in a subject are blanks."""
        made = EmailMessage()
        made["From"] = sender
        made["To"] = self.to
        made["Subject"] = " ".join(self.subject.split())
        made["Date"] = format_datetime(datetime.now(UTC))
        made["Message-ID"] = f"<{self.id}@{sender.rpartition('@')[2].strip('> ')}>"
        made["Auto-Submitted"] = "auto-generated"
        made.set_content(self.text)
        return made


class Mailer(Protocol):
    def send(self, mail: Mail) -> None:
        """Hands the mail over. `Unavailable("mail_unavailable")` if that fails and may work later; an address that the
        server refuses for good is logged and left."""
