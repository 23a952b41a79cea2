"""Count what an address and a writer save in a day; note which drawings are held out."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("drawings", sa.Column("held_out", sa.Boolean))
    op.create_index("drawings_by_share", "drawings", ["writer", "status", "size"])
    op.create_table(
        "day_keys",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("key", sa.String(64), nullable=False),
    )
    op.create_table(
        "day_saves",
        sa.Column("who", sa.String(64), primary_key=True),
        sa.Column("saved", sa.Integer, nullable=False),
        sa.Column("pending", sa.Integer, nullable=False),
        sa.Column("pending_bytes", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("day_saves")
    op.drop_table("day_keys")
    op.drop_index("drawings_by_share")
    with op.batch_alter_table("drawings") as batch:
        batch.drop_column("held_out")
