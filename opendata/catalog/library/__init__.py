"""The ready Table Schemas that there are: the project's own (files, `catalog.codes`) and the city's, published after review."""
