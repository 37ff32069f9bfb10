"""A run: every record is gathered first, compared with what is held, and then applied one by one."""
