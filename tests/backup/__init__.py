"""Backup and restore, and what a restored database may say."""
