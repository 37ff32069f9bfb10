"""Operator and publisher commands. Every one goes through the services; none has a way around the rules.

A file holds the commands of one matter; `program` lists them and says errors as sentences.
"""

from opendata.cli.program import cli, main

__all__ = ["cli", "main"]
