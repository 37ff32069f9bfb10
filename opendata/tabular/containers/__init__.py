"""Files that hold tables among other things: archives, and files of places."""
