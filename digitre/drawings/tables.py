"""The tables of a database of drawings."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()
# The columns are the fields of `Drawing`, where each is explained.
drawings = sa.Table(
    "drawings",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("made", sa.DateTime, nullable=False),
    sa.Column("label", sa.SmallInteger, nullable=False),
    sa.Column("writer", sa.String(64), nullable=False),
    sa.Column("pixels", sa.LargeBinary, nullable=False),
    sa.Column("picture", sa.String(64), nullable=False),
    sa.Column("strokes", sa.JSON(none_as_null=True)),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("status", sa.String(8), nullable=False),
    sa.Column("read_as", sa.SmallInteger, nullable=False),
    sa.Column("confidence", sa.Float, nullable=False),
    sa.Column("not_a_digit", sa.Float, nullable=False),
    sa.Column("model", sa.String(64), nullable=False),
    sa.Column("held_out", sa.Boolean),
    sa.Index("drawings_by_writer", "writer", "made"),
    sa.Index("drawings_by_status", "status", "made"),
    sa.Index("drawings_by_size", "size"),
    sa.Index("drawings_by_share", "writer", "status", "size"),
    sa.Index("drawings_by_picture", "picture", "label"),
)

# What `digitre.drawings.quotas` needs: one key, and what was saved on its day.
day_keys = sa.Table(
    "day_keys",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("key", sa.String(64), nullable=False),
)
day_saves = sa.Table(
    "day_saves",
    metadata,
    sa.Column("who", sa.String(64), primary_key=True),  # a keyed hash
    sa.Column("saved", sa.Integer, nullable=False),
    sa.Column("pending", sa.Integer, nullable=False),
    sa.Column("pending_bytes", sa.BigInteger, nullable=False),
)
