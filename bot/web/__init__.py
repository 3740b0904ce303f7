"""The web page: what supervisors, dispatchers and units see beyond the groups. Reads the database, decides nothing."""
