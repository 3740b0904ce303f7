"""Alembic's environment: runs on the engine that `storage.migrate` hands over."""

from alembic import context
from sqlalchemy import Engine
from sqlmodel import SQLModel

from storage import page_tables, tables  # noqa: F401  (registers the tables)

engine: Engine = context.config.attributes["engine"]

with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=SQLModel.metadata, compare_type=True, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
