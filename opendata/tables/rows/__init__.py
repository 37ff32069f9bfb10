"""Rows that clients write (CKAN's datastore): their tables, the journal of changes, and the verbs. What touches the cells
themselves happens in the sandbox (`tables.sandboxed`)."""
