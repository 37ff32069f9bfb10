"""What outside programs and sysadmins keep or ask for: states of tasks, translations of terms, jobs, options of the site."""
