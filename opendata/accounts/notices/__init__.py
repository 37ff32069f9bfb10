"""Notices (提醒): what a person should know of, on the console, and by e-mail where the site has a mailer."""
