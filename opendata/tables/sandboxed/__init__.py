"""Tasks on rows that run in a worker process, never in the server: typing what was written, finding keys, searching,
folding. They alone import the engines."""
