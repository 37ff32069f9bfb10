"""Pages of the inventory: what all bodies hold, one line, what changed; and a body's list in and out as a workbook."""
