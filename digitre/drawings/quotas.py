"""How much an address and a writer may save, without storing addresses.

What was saved today (UTC) is counted under a hash of the address or the writer. The hash has a random
key, which is in the database for all workers. The first save of the next day replaces the key and
removes the counts, so that no one can find out later which address saved. Counts do not go back when
a drawing is deleted.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from digitre.drawings.drawing import Drawing
from digitre.drawings.tables import day_keys, day_saves, drawings

SHARE = 0.01  # of the store, for the pending drawings of one address or one writer,
FEW, FEW_BYTES = 20, 1_000_000  # or this much, if that is more
# From this part on, the store is full for drawings without a writer, and for those who have saved
# more than a share. What is left is for all others.
NEARLY_FULL = 0.9


@dataclass(frozen=True)
class Limits:
    """How much may be stored.

    Attributes:
        a_day: drawings that one writer may save within 24 hours. Not for drawings without a writer.
        count: drawings in all.
        bytes: bytes in all, as `Drawing.size` counts them.
        per_address: drawings that one address may save in a day. 0: addresses are not counted.
    """

    a_day: int
    count: int
    bytes: int
    per_address: int = 0


class TooManyError(Exception):
    """The writer or the address has saved as many drawings within a day as the limit allows."""


class ShareError(TooManyError):
    """The pending drawings of the writer or the address take their share of the store."""


class FullError(Exception):
    """The collection is full: it has reached its limit of drawings or of bytes."""


@dataclass(frozen=True)
class Saves:
    """What one address or writer has saved today, or what a writer has in the store.

    Attributes:
        saved: how many drawings.
        pending: how many of them were pending when they were saved, or are pending.
        bytes: the sum of the sizes of those that are pending.
    """

    saved: int
    pending: int
    bytes: int


def check_and_count(
    connection: sa.Connection, drawing: Drawing, limits: Limits, address: str | None
) -> None:
    """Check that a new drawing stays within the limits, and count it.

    Args:
        connection: a transaction that is the only one that saves.
        address: who sends it, or None if addresses do not count.

    Raises:
        TooManyError, ShareError, FullError: nothing was counted then.
    """
    named = [f"writer {drawing.writer}"] if drawing.writer else []
    sent = [f"address {address}"] if address is not None and limits.per_address else []
    hashes = _hashes(connection, named + sent)
    today = {name: _saves_today(connection, hashes[name]) for name in hashes}
    if any(today[name].saved >= limits.per_address for name in sent):
        raise TooManyError
    stored = _stored(connection, drawing.writer) if named else None
    if any(today[name].saved >= limits.a_day for name in named):
        raise TooManyError
    count, size = connection.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(drawings.c.size), 0))
    ).one()
    if count >= limits.count or size + drawing.size > limits.bytes:
        raise FullError
    share, bytes = max(FEW, SHARE * limits.count), max(FEW_BYTES, SHARE * limits.bytes)
    owners = ([stored] if stored else []) + [today[name] for name in sent]
    if drawing.status == "pending" and any(
        owner.pending >= share or owner.bytes + drawing.size > bytes for owner in owners
    ):
        raise ShareError
    nearly = count >= NEARLY_FULL * limits.count or size >= NEARLY_FULL * limits.bytes
    if nearly and (not named or any(owner.saved >= share for owner in owners)):
        raise FullError
    for hash in hashes.values():
        _count(connection, hash, drawing)


def saved_lately(connection: sa.Connection, writer: str) -> int:
    """How many drawings of the last 24 hours this writer has in the store."""
    since = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=1)
    query = sa.select(sa.func.count()).where(drawings.c.writer == writer, drawings.c.made > since)
    return connection.scalar(query) or 0


def _stored(connection: sa.Connection, writer: str) -> Saves:
    """What a writer has in the store."""
    column = drawings.c
    query = sa.select(
        column.status, sa.func.count(), sa.func.coalesce(sa.func.sum(column.size), 0)
    ).where(column.writer == writer)
    rows = {row[0]: row for row in connection.execute(query.group_by(column.status))}
    _, pending, size = rows.get("pending", ("pending", 0, 0))
    return Saves(sum(row[1] for row in rows.values()), pending, int(size))


def _hashes(connection: sa.Connection, names: list[str]) -> dict[str, str]:
    """The hash of each name, with the key of today."""
    day = datetime.now(UTC).date()
    key = connection.scalar(sa.select(day_keys.c.key).where(day_keys.c.day == day))
    if key is None:
        connection.execute(day_saves.delete())
        connection.execute(day_keys.delete())
        key = secrets.token_hex(32)
        connection.execute(day_keys.insert().values(day=day, key=key))
    return {
        name: hmac.new(key.encode(), name.encode(), hashlib.sha256).hexdigest() for name in names
    }


def _saves_today(connection: sa.Connection, hash: str) -> Saves:
    row = connection.execute(sa.select(day_saves).where(day_saves.c.who == hash)).first()
    return Saves(row.saved, row.pending, row.pending_bytes) if row else Saves(0, 0, 0)


def _count(connection: sa.Connection, hash: str, drawing: Drawing) -> None:
    column = day_saves.c
    pending = int(drawing.status == "pending")
    more = {"saved": 1, "pending": pending, "pending_bytes": pending * drawing.size}
    update = day_saves.update().where(column.who == hash)
    update = update.values({name: column[name] + value for name, value in more.items()})
    if not connection.execute(update).rowcount:
        connection.execute(day_saves.insert().values(who=hash, **more))
