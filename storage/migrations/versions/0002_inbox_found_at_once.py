"""Find a room's latest texts and our own echoes at once, however long the history is."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index("ix_inbox_room", "inbox", ["room_id", "sent_at"], unique=False)
    op.create_index(
        "ix_inbox_own",
        "inbox",
        ["channel_room_id", "received_at"],
        unique=False,
        sqlite_where=sa.text("is_self = 1"),
        postgresql_where=sa.text("is_self"),
    )


def downgrade() -> None:
    op.drop_index("ix_inbox_own", table_name="inbox")
    op.drop_index("ix_inbox_room", table_name="inbox")
