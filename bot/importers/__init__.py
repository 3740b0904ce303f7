"""Reading files that a district brings: people and units, the hotline's orders, chat exports.

Nothing here writes to the database.
"""
