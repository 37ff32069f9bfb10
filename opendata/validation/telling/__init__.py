"""What a report found, said so that a clerk can act: grouped by column, rule and bad value, one sentence each in Chinese and
English that says what is wrong and how to mend it; and the clerk's own file back with the wrong cells marked.

Light (the server groups the reports it has kept), but for `tasks` and `notes`, which run in the sandbox.
"""
