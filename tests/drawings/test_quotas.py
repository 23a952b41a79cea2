"""How much an address and a writer may save, what is held out, and who can read the files."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from conftest import assert_error, data_url, png
from strokes import DIGITS, OTHERS, drawn

from digitre import Classifier, create_app
from digitre.drawings.collection import Drawings, FullError, Limits, ShareError, TooManyError
from digitre.drawings.drawing import Drawing, Filter, is_held_out_by_name
from digitre.drawings.tables import day_keys, day_saves, metadata
from digitre.training.data import saved

SEVEN = png(drawn(DIGITS[7]))
HOME, OTHER = "203.0.113.7", "203.0.113.8"
MANY = 10**9
sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def application(database: str, tmp_path: Path):
    """Makes the application with these settings."""

    def make(**settings):
        base = {"TESTING": True, "DATABASE_URL": database, "INSTANCE": tmp_path / "instance"}
        return create_app(base | settings)

    return make


@pytest.fixture
def drawing(classifier: Classifier) -> Drawing:
    """A pending drawing without a writer."""
    return Drawing.new(1, "", SEVEN, None, classifier.read(SEVEN))


def save(app, writer: str | None = None, peer: str = HOME, forwarded: str = "", label=7):
    """Save a seven as a client at this address."""
    body = {"digit": data_url(SEVEN), "label": label} | ({"writer": writer} if writer else {})
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    environ = {"REMOTE_ADDR": peer}
    return app.test_client().post(
        "/_save_drawing", json=body, headers=headers, environ_base=environ
    )


def test_one_address_has_a_daily_limit(application) -> None:
    """Names that a client makes up, headers that it sends and deletions do not help it. Others save."""
    app = application(SAVES_A_DAY_PER_ADDRESS=3)
    answers = [save(app, f"w{number}") for number in range(3)]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert_error(save(app, "w3"), 429, "too_many_drawings")
    assert_error(save(app, "w3", forwarded=OTHER), 429, "too_many_drawings")
    first = answers[0].get_json()
    path, receipt = f"/_save_drawing/{first['id']}", {"receipt": first["receipt"]}
    assert app.test_client().delete(path, json=receipt).status_code == 204
    assert_error(save(app, "w3"), 429, "too_many_drawings")
    assert save(app, "w1").status_code == 200  # a retry
    assert save(app, "w3", peer=OTHER).status_code == 201
    free = application(SAVES_A_DAY_PER_ADDRESS=0)
    assert save(free, "w4").status_code == 201


@sqlite
@pytest.mark.parametrize("peer", ["", "127.0.0.1", "::1", "10.1.2.3"])
def test_the_address_is_what_the_proxy_saw(application, peer: str) -> None:
    """Behind a Unix socket, this machine or a trusted proxy, the header's last address counts: those
    before it came from the client. An IPv6 client is its /64.
    """
    app = application(SAVES_A_DAY_PER_ADDRESS=1, TRUSTED_PROXIES="10.0.0.0/8")
    assert save(app, "a", peer, forwarded=f"1.2.3.4, {HOME}").status_code == 201
    assert save(app, "b", peer, forwarded=f"5.6.7.8, {HOME}").status_code == 429
    assert save(app, "c", peer, forwarded=OTHER).status_code == 201
    assert save(app, "d", peer, forwarded="2001:db8::1").status_code == 201
    assert save(app, "e", peer, forwarded="2001:db8::2:1").status_code == 429
    assert save(app, "f", peer, forwarded="2001:db8:0:1::1").status_code == 201
    assert save(app, "g", peer, forwarded="garbage").status_code == 201
    assert save(app, "h", peer).status_code == 429


def test_addresses_are_not_stored(application, database: str) -> None:
    """No table has the address, and the key of its hash is replaced on the next day, with the counts."""
    app = application()
    assert save(app, "ann").status_code == 201
    engine = sa.create_engine(database)
    with engine.begin() as connection:
        stored = str(
            [connection.execute(sa.select(table)).all() for table in metadata.sorted_tables]
        )
        assert HOME not in stored
        key = connection.scalar(sa.select(day_keys.c.key))
        hashes = set(connection.scalars(sa.select(day_saves.c.who)))
        assert len(hashes) == 2  # the address and the writer
        connection.execute(day_keys.update().values(day=date(2020, 1, 1)))
    assert save(app, "ann", label=1).status_code == 201
    with engine.begin() as connection:
        assert connection.scalars(sa.select(day_keys.c.key)).all() != [key]
        assert connection.scalar(sa.select(sa.func.count()).select_from(day_keys)) == 1
        assert not hashes & set(connection.scalars(sa.select(day_saves.c.who)))
    engine.dispose()


def test_deletions_count_for_a_writer(application) -> None:
    """A writer who deletes drawings may not save more of them in the same day."""
    app = application(SAVES_A_DAY=2)
    for label in (1, 2):
        answer = save(app, "ann", label=label).get_json()
        path, receipt = f"/_save_drawing/{answer['id']}", {"receipt": answer["receipt"]}
        assert app.test_client().delete(path, json=receipt).status_code == 204
    assert_error(save(app, "ann", label=3), 429, "too_many_drawings")


@sqlite
@pytest.mark.parametrize("by", ["writer", "address"])
def test_pending_drawings_take_a_hundredth_of_the_store(
    database: str, drawing: Drawing, by: str
) -> None:
    """One writer with many addresses, or one address with many names, gets no more. An accepted
    drawing is stored all the same.
    """
    store, limits = Drawings(database), Limits(MANY, 3000, MANY, MANY)

    def add(number: int, **more) -> bool:
        writer, address = ("w", f"a{number}") if by == "writer" else (f"w{number}", "a")
        one = replace(drawing, id=f"{number:032x}", writer=writer, **more)
        return store.save(one, limits, address)

    assert all(add(number) for number in range(30))
    with pytest.raises(ShareError):
        add(30)
    assert add(31, status="accepted")
    assert store.save(replace(drawing, id="f" * 32, writer="x"), limits, "b")
    big = replace(drawing, id="e" * 32, writer="y", size=MANY // 99)
    with pytest.raises(ShareError):
        store.save(big, limits, "c")


@sqlite
def test_a_nearly_full_store_is_for_those_who_have_saved_little(
    database: str, drawing: Drawing
) -> None:
    """The last tenth is refused to drawings without a writer, and to those over their share. What
    was acknowledged stays, and the limit of the whole store holds for all.
    """
    store, limits = Drawings(database), Limits(MANY, 200, MANY, MANY)
    accepted = replace(drawing, status="accepted")
    for number in range(180):
        writer = "greedy" if number < 25 else f"w{number}"
        assert store.save(replace(accepted, id=f"{number:032x}", writer=writer), limits, writer)
    for writer, address in (("", "new"), ("greedy", "new")):
        with pytest.raises(FullError):
            store.save(replace(accepted, id="f" * 32, writer=writer), limits, address)
    for number in range(180, 200):
        assert store.save(replace(accepted, id=f"{number:032x}", writer="ann"), limits, "ann")
    with pytest.raises(FullError):
        store.save(replace(accepted, id="f" * 32, writer="bob"), limits, "bob")
    assert store.count() == 200


def test_drawings_without_a_writer_are_apart(application, database: str) -> None:
    """Each has an id and a receipt of its own, and no client uses up the quota of all others."""
    app = application(SAVES_A_DAY=1)
    answers = [save(app, peer=peer).get_json() for peer in (HOME, HOME, OTHER)]
    assert len({answer["id"] for answer in answers}) == 3
    assert len({answer["receipt"] for answer in answers}) == 3
    path = f"/_save_drawing/{answers[0]['id']}"
    for answer in answers[1:]:
        response = app.test_client().delete(path, json={"receipt": answer["receipt"]})
        assert_error(response, 404, "not_found")


@sqlite
def test_not_a_digit_is_never_accepted_unseen(application, database: str) -> None:
    """However sure the network is, someone looks at a drawing that is said not to be a digit."""
    body = {"digit": data_url(png(drawn(OTHERS["scribble"]))), "label": "none"}
    answer = application().test_client().post("/_save_drawing", json=body).get_json()
    stored = Drawings(database).find(answer["id"])
    assert stored is not None
    assert (stored.status, stored.prediction) == ("pending", 10)


@sqlite
def test_a_name_cannot_be_chosen_to_be_held_out(application, database: str) -> None:
    """The secret decides for new writers; those from before stay as they were."""
    chosen = [name for name in map("name{}".format, range(600)) if is_held_out_by_name(name)]
    app = application(SECRET="a secret of 16 or more", SAVES_A_DAY_PER_ADDRESS=0)
    before, *others = chosen[:41]
    assert save(app, before).status_code == 201
    store = Drawings(database)
    store.insert([replace(each, held_out=None) for each in store.select()], replace=True)
    assert save(app, before, label=1).status_code == 201
    for name in others:
        assert save(app, name).status_code == 201
    held_out = {each.writer for each in store.select() if each.is_held_out}
    assert before in held_out
    assert len(held_out) < 12  # of 41: one in ten, by chance
    assert not any(each.is_held_out for each in store.select() if each.writer == "")


@sqlite
def test_no_writer_has_much_weight_in_what_is_held_out(database: str, drawing: Drawing) -> None:
    """A writer who is held out contributes a share, as in training."""
    store = Drawings(database)
    one = replace(drawing, status="accepted", held_out=True)
    store.insert([replace(one, id=f"{k:032x}", writer="greedy") for k in range(50)])
    store.insert([replace(one, id=f"{k:032x}", writer=f"w{k}") for k in range(50, 60)])
    assert len(saved.load(store).held_out[1]) == 20 + 10
    assert not len(saved.load(store))
    store.delete(Filter(writer="greedy"))
    assert len(saved.load(store).held_out[1]) == 10


@sqlite
@pytest.mark.parametrize("earlier", [False, True])
def test_only_the_owner_can_read_the_files(application, tmp_path: Path, earlier: bool) -> None:
    """The database, its log and the secret have mode 0600, also if an earlier version made them."""
    instance = tmp_path / "instance"
    mask = os.umask(0o022)
    try:
        if earlier:
            assert save(application(), "before").status_code == 201
            for file in instance.iterdir():
                file.chmod(0o644)
        assert save(application(), "after").status_code == 201
        modes = {file.name: file.stat().st_mode & 0o777 for file in instance.iterdir()}
    finally:
        os.umask(mask)
    assert {"secret", "drawings.sqlite3", "drawings.sqlite3-wal"} <= set(modes)
    assert set(modes.values()) == {0o600}, modes


def test_a_daily_limit_in_python(database: str, drawing: Drawing) -> None:
    """Without an address only the writer's limit holds, and without a writer none."""
    store, limits = Drawings(database), Limits(1, MANY, MANY, 1)
    for number in range(3):
        assert store.save(replace(drawing, id=f"{number:032x}"), limits)
    assert store.save(replace(drawing, id="d" * 32, writer="ann"), limits)
    with pytest.raises(TooManyError):
        store.save(replace(drawing, id="e" * 32, writer="ann"), limits)
