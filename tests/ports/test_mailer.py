"""Both mailers: a mail arrives whole; a server that is away is waited for, one that says never is not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from opendata.core.errors import Unavailable
from opendata.ports.mailer.outbox import OutboxMailer
from opendata.ports.mailer.port import Mail
from opendata.ports.mailer.smtp import SmtpMailer

MAIL = Mail(id="m1", to="li@example.org", subject="《街道》待您\n内容审查", text="请办理。\n.\n")
SENDER = "opendata@example.org"


class Server:
    """A mail server of one connection at a time; `answer` is what it says to the recipient."""

    def __init__(self, answer: str = "250 ok") -> None:
        self.answer, self.got = answer, bytearray()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"smtp://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _address = self.socket.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as stream:
                self._talk(stream)

    def _talk(self, stream: object) -> None:
        def say(line: str) -> None:
            stream.write(line.encode() + b"\r\n")
            stream.flush()

        say("220 here")
        while line := stream.readline():
            word = line[:4].upper()
            if word == b"DATA":
                say("354 go on")
                while (line := stream.readline()) != b".\r\n":
                    self.got += line.removeprefix(b".") if line.startswith(b"..") else line
                say("250 kept")
            elif word == b"QUIT":
                say("221 bye")
                return
            else:
                say(self.answer if word == b"RCPT" else "250 ok")


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.socket.close()


def check(data: bytes) -> None:
    found = message_from_bytes(data, policy=policy.default)
    assert found["Subject"] == "《街道》待您 内容审查"
    assert (found["To"], found["From"]) == ("li@example.org", SENDER)
    assert found["Message-ID"] == "<m1@example.org>"
    assert found.get_content().splitlines() == ["请办理。", "."]


def test_a_mail_reaches_the_server(server: Server) -> None:
    SmtpMailer(server.url, SENDER).send(MAIL)
    check(bytes(server.got))


def test_a_mail_lies_in_the_folder_once(tmp_path: Path) -> None:
    mailer = OutboxMailer(tmp_path / "out", SENDER)
    mailer.send(MAIL)
    mailer.send(MAIL)
    [file] = (tmp_path / "out").iterdir()
    check(file.read_bytes())


def test_a_server_that_is_away_is_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(Unavailable):
        SmtpMailer(f"smtp://127.0.0.1:{port}", SENDER).send(MAIL)


def test_later_is_waited_for_and_never_is_not() -> None:
    with pytest.raises(Unavailable):
        SmtpMailer(Server("451 later").url, SENDER).send(MAIL)
    never = Server("550 nobody here")
    SmtpMailer(never.url, SENDER).send(MAIL)
    assert not never.got


def test_a_password_does_not_travel_in_the_clear(server: Server) -> None:
    with pytest.raises(Unavailable):
        SmtpMailer(server.url.replace("//", "//me:secret@"), SENDER).send(MAIL)
