"""Keep what a language model said of a doubtful message: it is asked once, and a message taken again reads the same."""

import sqlalchemy as sa
from alembic import op

import storage.types

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "second_opinion",
        sa.Column("inbox_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "opinion",
            sa.Enum(
                "complaint",
                "not",
                "unsure",
                "invalid",
                "timeout",
                "failed",
                name="opinion",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("margin", sa.Float(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("prompt", sa.Integer(), nullable=False),
        sa.Column("asked_at", storage.types.UtcDateTime(), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["inbox_id"], ["inbox.id"], name=op.f("fk_second_opinion_inbox_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("inbox_id", name=op.f("pk_second_opinion")),
    )


def downgrade() -> None:
    op.drop_table("second_opinion")
