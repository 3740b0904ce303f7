"""Say of a ticket, a message, what was said and a digest when its personal data was blanked for age."""

import sqlalchemy as sa
from alembic import op

import storage.types

revision = "0006"
down_revision = "0005"
TABLES = ("inbox", "ticket", "outbox", "digest")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("blanked_at", storage.types.UtcDateTime(), nullable=True))


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "blanked_at")
