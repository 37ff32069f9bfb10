"""What happened, as CKAN's activity plugin tells it. The audit trail is the record: an activity is a line of it."""
