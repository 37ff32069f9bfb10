"""What the kinds share: a remote's words as codes of ours, its texts without what could hurt, and a record made of both."""
