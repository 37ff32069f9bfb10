"""Changes brought to whoever asked for it: signed messages, in order, at least once (Standard Webhooks)."""
