"""What a clerk does about a delivered file: how it is read, and what is mended in it."""
