"""The audit trail by REST."""
