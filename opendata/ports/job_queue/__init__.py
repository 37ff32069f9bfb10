"""Durable work after the answer: a job is written in the same transaction as the change that asks for it."""
