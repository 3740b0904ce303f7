"""Count how often a step failed and find the parked ones; tie a private message to the account that was asked."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("deadline", sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("deadline", sa.Column("error", sa.Text(), nullable=True))
    parked = sa.text("outcome = 'parked'")
    op.create_index(
        "ix_deadline_parked", "deadline", ["assignment_id"], unique=False, sqlite_where=parked, postgresql_where=parked
    )
    op.add_column("outbox", sa.Column("account", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("outbox", "account")
    op.drop_index("ix_deadline_parked", table_name="deadline")
    op.drop_column("deadline", "error")
    op.drop_column("deadline", "attempts")
