"""Actions on tags and on vocabularies, the lists of terms that sysadmins keep."""
