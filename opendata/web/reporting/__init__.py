"""The console of upward reporting: platforms above, the difference before it is sent, the report of a push."""
