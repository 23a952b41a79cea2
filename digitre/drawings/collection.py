"""The collection of saved drawings: one table of a database.

`digitre.web.saving` imports this only when a drawing is saved. Reading digits needs no database, and
continues if the database is down.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from digitre.drawings import quotas
from digitre.drawings.database import Database, TransactionEndedError, UnavailableError
from digitre.drawings.drawing import STATUSES, Drawing, Filter, label_name
from digitre.drawings.quotas import FullError, Limits, ShareError, TooManyError
from digitre.drawings.tables import drawings
from digitre.recognition.classifier import NO_DIGIT

__all__ = [
    "Drawings",
    "FullError",
    "Limits",
    "ShareError",
    "Statistics",
    "TooManyError",
    "UnavailableError",
]

# `Drawing.prediction` in SQL.
PREDICTION = sa.case(
    (drawings.c.not_a_digit > drawings.c.confidence, NO_DIGIT), else_=drawings.c.read_as
)
ALL = Filter()


@dataclass(frozen=True)
class Statistics:
    """What a collection holds.

    Attributes:
        drawings: how many there are.
        writers: how many different writers.
        bytes: the sum of their sizes.
        disagree: how many have a label that is not the network's prediction.
        status: how many have each status.
        label: how many have each label, by its name.
    """

    drawings: int
    writers: int
    bytes: int
    disagree: int
    status: dict[str, int]
    label: dict[str, int]


class Drawings:
    """The saved drawings in a database. Each method raises `UnavailableError` if it cannot be used.

    Args:
        url, patience, most: as `Database` takes them.
    """

    def __init__(self, url: str, patience: float = 2, most: int | None = None) -> None:
        self.database = Database(url, patience, most)

    def save(self, drawing: Drawing, limits: Limits, address: str | None = None) -> bool:
        """Store a drawing. When this returns, the drawing is on the disk.

        If the writer has other drawings, `held_out` is the same as theirs.

        Args:
            address: who sends it, for `Limits.per_address`; it is not stored. None if not known.

        Returns:
            True if it is new, False if a drawing with this id was there already.

        Raises:
            TooManyError, ShareError, FullError: if a limit is reached.
        """
        try:
            return self._save(drawing, limits, address)
        except TransactionEndedError:  # try once more: storing a drawing twice stores it once
            return self._save(drawing, limits, address)

    def _save(self, drawing: Drawing, limits: Limits, address: str | None) -> bool:
        with self.database.begin(write=True) as connection:
            if connection.dialect.name == "postgresql":
                # One writer at a time, so that the counts below still hold at the end. SQLite does
                # so by itself.
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(4712)"))
            if connection.scalar(sa.select(drawings.c.id).where(drawings.c.id == drawing.id)):
                return False
            if drawing.writer and self._saved_today(connection, drawing.writer) >= limits.a_day:
                raise TooManyError
            quotas.check_and_count(connection, drawing, limits, address)
            query = sa.select(drawings.c.held_out).where(drawings.c.writer == drawing.writer)
            earlier = (
                connection.execute(query.order_by(drawings.c.made).limit(1)).first()
                if drawing.writer
                else None
            )
            values = vars(drawing) | ({"held_out": earlier.held_out} if earlier else {})
            connection.execute(drawings.insert().values(**values))
        return True

    def _saved_today(self, connection: sa.Connection, writer: str) -> int:
        """How many drawings this writer has saved within the last 24 hours."""
        return quotas.saved_lately(connection, writer)

    def insert(self, batch: Sequence[Drawing], *, replace: bool = False) -> int:
        """Store drawings as they are, without limits.

        Args:
            replace: overwrite drawings that are there already, instead of keeping them.

        Returns:
            How many of them were not there before.
        """
        with self.database.begin(write=True) as connection:
            ids = sa.select(drawings.c.id).where(drawings.c.id.in_([each.id for each in batch]))
            present = set(connection.scalars(ids))
            if replace:
                connection.execute(drawings.delete().where(drawings.c.id.in_(present)))
            rows = [vars(each) for each in batch if replace or each.id not in present]
            if rows:
                connection.execute(drawings.insert(), rows)
        return len(batch) - len(present)

    def find(self, id: str) -> Drawing | None:
        """The drawing with this id, or None."""
        return next(self.select(Filter(ids=[id])), None)

    def select(self, filter: Filter = ALL, *, batch: int = 500) -> Iterator[Drawing]:
        """The drawings that a filter chooses, in the order of their ids.

        Only `batch` of them are in memory at a time.
        """
        last = ""
        while True:
            query = sa.select(drawings).where(drawings.c.id > last, *_where(filter))
            with self.database.begin() as connection:
                rows = connection.execute(query.order_by(drawings.c.id).limit(batch)).all()
            for row in rows:
                yield _drawing(row)
            if len(rows) < batch:
                return
            last = rows[-1].id

    def for_review(self, filter: Filter, limit: int) -> list[tuple[Drawing, int]]:
        """The drawings that a filter chooses, those that are most worth a look first.

        First come pictures that several writers gave the same label, then those that the network
        was most confident about, then the newest.

        Returns:
            At most `limit` drawings, each with the number of writers who gave the same picture the
            same label.
        """
        # One pass over the table counts the writers of each picture and label. The rows are sorted
        # without their pixels and strokes, which can be long.
        count = sa.func.count(drawings.c.writer.distinct()).label("agreeing")
        groups = (
            sa.select(drawings.c.picture, drawings.c.label, count)
            .group_by(drawings.c.picture, drawings.c.label)
            .subquery()
        )
        same = (groups.c.picture == drawings.c.picture) & (groups.c.label == drawings.c.label)

        def first(agreeing: sa.ColumnElement) -> tuple:
            made, confidence = drawings.c.made, drawings.c.confidence
            return agreeing.desc(), confidence.desc(), made.desc(), drawings.c.id

        chosen = sa.select(drawings.c.id, groups.c.agreeing).join(groups, same)
        chosen = chosen.where(*_where(filter)).order_by(*first(groups.c.agreeing))
        few = chosen.limit(limit).subquery()
        query = sa.select(drawings, few.c.agreeing).join(few, few.c.id == drawings.c.id)
        with self.database.begin() as connection:
            rows = connection.execute(query.order_by(*first(few.c.agreeing))).all()
        return [(_drawing(row), row.agreeing) for row in rows]

    def judge(self, filter: Filter, status: str, label: int | None = None) -> int:
        """Give the drawings that a filter chooses this status, and this label if it is not None.

        Returns:
            How many drawings the filter chose.
        """
        values: dict[str, Any] = {"status": status} | ({} if label is None else {"label": label})
        with self.database.begin(write=True) as connection:
            update = sa.update(drawings).where(*_where(filter)).values(**values)
            return connection.execute(update).rowcount

    def delete(self, filter: Filter) -> int:
        """Delete the drawings that a filter chooses, for good. Returns how many there were."""
        with self.database.begin(write=True) as connection:
            return connection.execute(drawings.delete().where(*_where(filter))).rowcount

    def count(self) -> int:
        """How many drawings there are."""
        with self.database.begin() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(drawings)) or 0

    def check(self) -> None:
        """Do nothing but raise `UnavailableError` if the database or its table is not there."""
        with self.database.begin(write=True) as connection:
            connection.execute(sa.select(drawings.c.id).limit(1))

    def statistics(self) -> Statistics:
        """Count the drawings by status and by label, their writers, their bytes."""
        count = sa.func.count()
        with self.database.begin() as connection:

            def by(column: sa.Column) -> dict[Any, int]:
                query = sa.select(column, count).group_by(column)
                return {row[0]: row[1] for row in connection.execute(query)}

            status, label = by(drawings.c.status), by(drawings.c.label)
            writers, size = connection.execute(
                sa.select(
                    sa.func.count(drawings.c.writer.distinct()),
                    sa.func.coalesce(sa.func.sum(drawings.c.size), 0),
                )
            ).one()
            disagree = connection.scalar(
                sa.select(count).select_from(drawings).where(drawings.c.label != PREDICTION)
            )
        return Statistics(
            drawings=sum(status.values()),
            writers=writers,
            bytes=int(size),
            disagree=disagree or 0,
            status={name: status.get(name, 0) for name in STATUSES},
            label={label_name(each): label.get(each, 0) for each in range(NO_DIGIT + 1)},
        )


def _where(filter: Filter) -> list[sa.ColumnElement[bool]]:
    """A filter as conditions on the table."""
    column = drawings.c
    conditions: list[sa.ColumnElement[bool]] = []
    if filter.ids is not None:
        conditions.append(column.id.in_(filter.ids))
    for name in ("status", "label", "writer"):
        if (value := getattr(filter, name)) is not None:
            conditions.append(column[name] == value)
    if filter.disagree:
        conditions.append(column.label != PREDICTION)
    return conditions


def _drawing(row: sa.Row) -> Drawing:
    """A row as a drawing; other columns than the table's are left out."""
    return Drawing(**{column.name: row._mapping[column.name] for column in drawings.c})
