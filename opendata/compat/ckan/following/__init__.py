"""Who follows which datasets, groups, organizations and people."""
