"""A file without some of its rows: which they are (keys that an order names, days that are past), and the same file written
again without them."""
