"""Checks files against their Table Schema and keeps what was found.

frictionless decides what is an error; it runs in the sandbox only (`tasks`, `judging`, `schemas`), so that the server
neither loads it nor meets strangers' bytes. The server reads reports (`engine.classify`) and keeps them (`service`).
"""
