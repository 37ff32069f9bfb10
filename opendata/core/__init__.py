"""Ground floor: errors, clock, ids, paging, canonical JSON and the database base. No domain words here."""
