"""What happens at its time: scheduled publication, drafts of quiet clients, reminders of reviews."""
