"""Indexes of the pages of units and of the search by order number, at a million tickets."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_index("ix_assignment_unit_day", "assignment", ["unit_id", "dispatched_at"], unique=False)
    op.create_index("ix_assignment_unit_ticket", "assignment", ["unit_id", "ticket_id", "id"], unique=False)
    op.create_index(op.f("ix_ticket_order_no"), "ticket", ["order_no"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_ticket_order_no"), table_name="ticket")
    op.drop_index("ix_assignment_unit_ticket", table_name="assignment")
    op.drop_index("ix_assignment_unit_day", table_name="assignment")
