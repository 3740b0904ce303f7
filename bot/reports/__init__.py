"""Picture and Excel of a digest, drawn from its stored numbers. Nothing here reads the database or the clock."""
