"""package_revise: a package changed at places that are named by paths."""
