"""How a draft's file is read: what the clerk is asked, and what is kept of the answer."""
