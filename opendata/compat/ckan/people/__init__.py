"""Actions on people: accounts, and who belongs to which organization or group."""
