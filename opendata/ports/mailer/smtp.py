"""Mails to an SMTP server: `smtp://` with STARTTLS where the server offers it, `smtps://` by TLS from the start."""

from __future__ import annotations

import logging
import smtplib
import ssl
from urllib.parse import unquote, urlsplit

from opendata.core.errors import Unavailable
from opendata.ports.mailer.port import Mail

log = logging.getLogger(__name__)
TIMEOUT = 20
RETRY_AFTER = 60


class SmtpMailer:
    def __init__(self, url: str, sender: str) -> None:
        """`url`: smtp(s)://[user:password@]host[:port]."""
        self._address, self._sender = urlsplit(url), sender

    def send(self, mail: Mail) -> None:
        try:
            with self._connect() as server:
                server.send_message(mail.message(self._sender))
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            if _may_pass(error):
                raise Unavailable("mail_unavailable", retry_after=RETRY_AFTER) from error
            log.warning("mail refused for good", extra={"mail": mail.id})
        except (OSError, smtplib.SMTPException) as error:
            raise Unavailable("mail_unavailable", retry_after=RETRY_AFTER) from error

    def _connect(self) -> smtplib.SMTP:
        host, secure = self._address.hostname or "localhost", self._address.scheme == "smtps"
        context = ssl.create_default_context()
        if secure:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, self._address.port or 465, timeout=TIMEOUT, context=context
            )
        else:
            server = smtplib.SMTP(host, self._address.port or 25, timeout=TIMEOUT)
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=context)
        if self._address.username:
            if not secure and not isinstance(server.sock, ssl.SSLSocket):
                server.close()  # a password never travels in the clear
                raise smtplib.SMTPNotSupportedError("the server offers no TLS")
            server.login(unquote(self._address.username), unquote(self._address.password or ""))
        return server


def _may_pass(error: smtplib.SMTPException) -> bool:
    """Whether the server said "later" (4xx) and not "never" (5xx)."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(400 <= code < 500 for code, _text in error.recipients.values())
    return isinstance(error, smtplib.SMTPResponseException) and 400 <= error.smtp_code < 500
