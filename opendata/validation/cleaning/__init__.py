"""Cleaning on offer for what is certain: a proposal with before and after, and a recipe (data) that makes the new file.

`steps` and `recipe` are pure; `proposing` and `tasks` read strangers' bytes, so they run in the sandbox only.
"""
