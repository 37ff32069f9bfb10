"""Sending e-mail: `smtp` to a mail server, `outbox` into a folder."""
