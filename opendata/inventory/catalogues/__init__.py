"""The disclosure catalogue of each priority domain (重点领域公开目录): exactly one body leads it."""
