"""The web page: users, logins and their failures, who saw personal data, who changed what."""

import sqlalchemy as sa
from alembic import op

import storage.types

revision = "0003"
down_revision = "0002"

ROLES = sa.Enum("督查", "派单", "单位", "管理", name="pagerole", native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    op.create_table(
        "access_log",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", storage.types.UtcDateTime(), nullable=False),
        sa.Column("user_name", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_log")),
    )
    op.create_index(op.f("ix_access_log_at"), "access_log", ["at"], unique=False)
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", storage.types.UtcDateTime(), nullable=False),
        sa.Column("user_name", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("before", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("after", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_at"), "audit", ["at"], unique=False)
    op.create_table(
        "login_failure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", storage.types.UtcDateTime(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_failure")),
    )
    op.create_index(op.f("ix_login_failure_at"), "login_failure", ["at"], unique=False)
    op.create_index("ix_login_failure_name", "login_failure", ["name", "at"], unique=False)
    op.create_index("ix_login_failure_address", "login_failure", ["address", "at"], unique=False)
    op.create_table(
        "page_user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", ROLES, nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("password", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", storage.types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_page_user_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page_user")),
        sa.UniqueConstraint("name", name=op.f("uq_page_user_name")),
    )
    op.create_table(
        "page_session",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", storage.types.UtcDateTime(), nullable=False),
        sa.Column("seen_at", storage.types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["page_user.id"], name=op.f("fk_page_session_user_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_page_session")),
    )
    op.create_index(op.f("ix_page_session_user_id"), "page_session", ["user_id"], unique=False)
    # The lists of the page, at a million rows.
    op.drop_index("ix_ticket_unit_id", table_name="ticket")
    for column in ("unit_id", "category", "status"):
        op.create_index(f"ix_ticket_{column}", "ticket", [column, "id"], unique=False)
    op.create_index(
        "ix_assignment_waiting",
        "assignment",
        ["due_at", "id"],
        unique=False,
        sqlite_where=sa.text("status = '待领办'"),
        postgresql_where=sa.text("status = '待领办'"),
    )


def downgrade() -> None:
    op.drop_index("ix_assignment_waiting", table_name="assignment")
    for column in ("unit_id", "category", "status"):
        op.drop_index(f"ix_ticket_{column}", table_name="ticket")
    op.create_index("ix_ticket_unit_id", "ticket", ["unit_id"], unique=False)
    for table in ("page_session", "page_user", "login_failure", "audit", "access_log"):
        op.drop_table(table)
