"""Mails as files `<id>.eml` in a folder: for a site whose own mail program fetches them, for trials and for tests."""

from __future__ import annotations

from pathlib import Path

from opendata.ports.mailer.port import Mail


class OutboxMailer:
    def __init__(self, folder: Path, sender: str) -> None:
        self._folder, self._sender = folder, sender

    def send(self, mail: Mail) -> None:
        """A file is there whole or not at all; the same mail again is the same file."""
        self._folder.mkdir(parents=True, exist_ok=True)
        half = self._folder / f".{mail.id}.part"
        half.write_bytes(mail.message(self._sender).as_bytes())
        half.replace(self._folder / f"{mail.id}.eml")
