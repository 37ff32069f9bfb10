"""Work: one transaction, one actor, one clock, one queue, one audit trail."""
