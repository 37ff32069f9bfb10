"""Pages of the opening plan, the negative list and the audit trail: for everybody, and for those who keep them."""
