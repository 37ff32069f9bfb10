"""What each kind of source speaks: a module a kind, which knows its remote's language and nothing of ours but `record`."""
