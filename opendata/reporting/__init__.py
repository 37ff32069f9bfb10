"""Upward reporting (目录上报): the public catalogue brought to the platform above, in that platform's own fields, record by record, with a receipt of each."""
