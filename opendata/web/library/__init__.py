"""Pages for everyone who makes tables: the ready schemas with their templates, and a place to try a file."""
