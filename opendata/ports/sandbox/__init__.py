"""Where strangers' bytes are parsed and strangers' queries run: without secrets, within limits, killed on time."""
