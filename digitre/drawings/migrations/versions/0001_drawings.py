"""Make the table of drawings."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "drawings",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("made", sa.DateTime, nullable=False),
        sa.Column("label", sa.SmallInteger, nullable=False),
        sa.Column("writer", sa.String(64), nullable=False),
        sa.Column("pixels", sa.LargeBinary, nullable=False),
        sa.Column("strokes", sa.JSON),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("read_as", sa.SmallInteger, nullable=False),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("not_a_digit", sa.Float, nullable=False),
        sa.Column("model", sa.String(64), nullable=False),
    )
    op.create_index("drawings_by_writer", "drawings", ["writer", "made"])
    op.create_index("drawings_by_status", "drawings", ["status", "made"])
    op.create_index("drawings_by_size", "drawings", ["size"])


def downgrade() -> None:
    op.drop_table("drawings")
