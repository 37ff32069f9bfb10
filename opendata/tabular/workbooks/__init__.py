"""Workbooks that we write: texts as texts (`writing`), and a stranger's own workbook with its wrong cells marked (`marking`).

`writing` is for the server too; `marking` parses strangers' bytes, so it runs in the sandbox only.
"""
