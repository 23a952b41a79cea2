"""Add the hash of each picture, to find pictures that several writers gave the same label.

The drawings that are there get theirs afterwards, in batches: see `Database.migrate`.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # With a default, no database copies the table to add the column.
    column = sa.Column("picture", sa.String(64), nullable=False, server_default="")
    op.add_column("drawings", column)
    op.create_index("drawings_by_picture", "drawings", ["picture", "label"])


def downgrade() -> None:
    op.drop_index("drawings_by_picture")
    with op.batch_alter_table("drawings") as batch:
        batch.drop_column("picture")
