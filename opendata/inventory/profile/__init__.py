"""The metadata profile: the core elements are fixed in code, the city's own fields are data with versions."""
