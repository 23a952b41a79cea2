"""Add the hash of each picture, to find pictures that several writers gave the same label."""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("drawings", sa.Column("picture", sa.String(64)))
    table = sa.table("drawings", sa.column("id"), sa.column("pixels"), sa.column("picture"))
    connection = op.get_bind()
    for id in connection.scalars(sa.select(table.c.id)).all():
        pixels = connection.scalar(sa.select(table.c.pixels).where(table.c.id == id))
        digest = hashlib.sha256(bytes(pixels or b"")).hexdigest()
        connection.execute(sa.update(table).where(table.c.id == id).values(picture=digest))
    with op.batch_alter_table("drawings") as batch:  # SQLite changes a column by copying the table
        batch.alter_column("picture", existing_type=sa.String(64), nullable=False)
    op.create_index("drawings_by_picture", "drawings", ["picture", "label"])


def downgrade() -> None:
    op.drop_index("drawings_by_picture")
    with op.batch_alter_table("drawings") as batch:
        batch.drop_column("picture")
