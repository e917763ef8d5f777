"""Outbox, idempotency, blobs, paging, write transactions on both databases."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.kernel import idempotency, outbox
from app.kernel.blobs import INLINE_LIMIT, Blob, BlobStore
from app.kernel.db import BUSY_TIMEOUT_MS, begin_write, db
from app.kernel.errors import Invalid, NotFound, Unavailable
from app.kernel.outbox import OutboxMessage
from app.kernel.paging import SortKey, paginate

NOW = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)


def test_a_message_is_posted_once_for_each_key(session):
    assert outbox.post(session, key="n:1", topic="notice", body={"a": 1}, now=NOW)
    assert not outbox.post(session, key="n:1", topic="notice", body={"a": 2}, now=NOW)
    (row,) = session.scalars(select(OutboxMessage)).all()
    assert row.body == {"a": 1}


def test_a_claimed_message_comes_again_only_after_its_retry_time_and_never_after_it_was_sent(session):
    outbox.post(session, key="n:1", topic="notice", body={}, now=NOW)
    retry = dt.timedelta(minutes=5)
    (first,) = outbox.claim(session, NOW, limit=10, retry_after=retry)
    assert outbox.claim(session, NOW + dt.timedelta(minutes=4), limit=10, retry_after=retry) == []
    (again,) = outbox.claim(session, NOW + retry, limit=10, retry_after=retry)
    assert (again.id, again.attempts) == (first.id, 2)
    outbox.mark_sent(session, first.id, NOW)
    assert outbox.claim(session, NOW + dt.timedelta(days=1), limit=10, retry_after=retry) == []


def test_an_idempotency_key_gives_its_first_answer_and_serves_one_request_only(session):
    answer = idempotency.StoredAnswer(201, "{}", b"made")
    assert idempotency.claim(session, principal="u", key="k", fingerprint="f", now=NOW) is None
    idempotency.store(session, principal="u", key="k", answer=answer)
    assert idempotency.claim(session, principal="u", key="k", fingerprint="f", now=NOW) == answer
    assert idempotency.claim(session, principal="other", key="k", fingerprint="f", now=NOW) is None
    with pytest.raises(Invalid) as caught:
        idempotency.claim(session, principal="u", key="k", fingerprint="another", now=NOW)
    assert caught.value.code == "idempotency_key_reused"
    # A client that was away for a day still finds its answer.
    assert idempotency.prune(session, NOW + dt.timedelta(hours=47)) == 0
    assert idempotency.prune(session, NOW + dt.timedelta(days=3)) == 2


def test_of_two_requests_at_once_with_one_key_the_second_gets_the_firsts_answer(app):
    begun, seen = threading.Event(), []

    def second() -> None:
        begun.wait(10)
        with app.app_context():
            mine = begin_write(db.session())
            seen.append(idempotency.claim(mine, principal="u", key="k", fingerprint="f", now=NOW))
            mine.rollback()
            db.session.remove()

    thread = threading.Thread(target=second)
    thread.start()
    with app.app_context():
        first = begin_write(db.session())
        assert idempotency.claim(first, principal="u", key="k", fingerprint="f", now=NOW) is None
        begun.set()
        thread.join(0.3)
        assert seen == []  # it waits for this transaction
        idempotency.store(first, principal="u", key="k", answer=idempotency.StoredAnswer(200, "{}", b"x"))
        first.commit()
    thread.join(15)
    assert seen == [idempotency.StoredAnswer(200, "{}", b"x")]


def test_the_same_cause_or_picture_twice_at_once_is_kept_once_and_harms_nobody(app, tmp_path):
    store, seen = BlobStore(tmp_path), []

    def second() -> None:
        with app.app_context():
            mine = begin_write(db.session())
            seen.append(outbox.post(mine, key="n:1", topic="notice", body={}, now=NOW))
            seen.append(store.put(mine, b"picture", "image/png", NOW))
            mine.commit()
            db.session.remove()

    thread = threading.Thread(target=second)
    with app.app_context():
        first = begin_write(db.session())
        assert outbox.post(first, key="n:1", topic="notice", body={}, now=NOW)
        name = store.put(first, b"picture", "image/png", NOW)
        thread.start()
        thread.join(0.3)
        assert seen == []  # it waits for this transaction
        first.commit()
        thread.join(15)
        assert seen == [False, name]
        assert len(first.scalars(select(OutboxMessage)).all()) == len(first.scalars(select(Blob)).all()) == 1


@pytest.mark.parametrize("size", [0, 10, INLINE_LIMIT + 1])
def test_a_blob_comes_back_as_it_went_in(session, tmp_path, size):
    store = BlobStore(tmp_path / "blobs")
    data = bytes(size)
    name = store.put(session, data, "image/png", NOW)
    assert store.put(session, data, "image/png", NOW) == name
    session.expire_all()
    assert store.get(session, name) == (data, "image/png")
    assert (session.get(Blob, name).data is None) == (size > INLINE_LIMIT)


def test_a_changed_or_lost_blob_is_found_out(session, tmp_path):
    store = BlobStore(tmp_path / "blobs")
    name = store.put(session, bytes(INLINE_LIMIT + 1), "image/png", NOW)
    (path,) = [p for p in (tmp_path / "blobs").rglob("*") if p.is_file()]
    path.write_bytes(b"other")
    with pytest.raises(Unavailable, match="damaged"):
        store.get(session, name)
    path.unlink()
    with pytest.raises(Unavailable, match="missing"):
        store.get(session, name)
    with pytest.raises(NotFound):
        store.get(session, "0" * 64)


def _post_messages(session, count):
    for i in range(count):
        outbox.post(
            session, key=f"k{i:03}", topic=f"t{i % 3}", body={}, now=NOW + dt.timedelta(seconds=i % 5)
        )


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("limit", [1, 4, 23, 24, 100])
def test_pages_put_together_are_the_whole_list_in_order(session, limit, descending):
    _post_messages(session, 23)
    keys = [
        SortKey("due", OutboxMessage.due_at, descending),
        SortKey("topic", OutboxMessage.topic),
        SortKey("id", OutboxMessage.id),
    ]
    seen, cursor = [], None
    while True:
        page = paginate(session, select(OutboxMessage), keys, cursor=cursor, limit=limit)
        seen += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    sign = -1 if descending else 1
    wanted = sorted(seen, key=lambda m: (sign * m.due_at.timestamp(), m.topic, m.id))
    assert [m.key for m in seen] == [m.key for m in wanted]
    assert len({m.id for m in seen}) == len(seen) == 23


@pytest.mark.parametrize(
    "cursor", ["x", "====", "bm9uc2Vuc2U", "WyJpZCIsICJub3QtYW4taWQiXQ", "WyJpZCIsIG51bGxd"]
)
def test_a_damaged_cursor_is_a_clear_error(session, cursor):
    with pytest.raises(Invalid) as caught:
        paginate(session, select(OutboxMessage), [SortKey("id", OutboxMessage.id)], cursor=cursor, limit=5)
    assert caught.value.code == "bad_cursor"


def test_writers_wait_for_each_other_instead_of_failing(app):
    """Four threads that read and then write: deferred transactions on SQLite would fail with "database is locked"."""
    with app.app_context():
        session = begin_write(db.session())
        outbox.post(session, key="counter", topic="t", body={"n": 0}, now=NOW)
        session.commit()
    failures = []

    def work() -> None:
        with app.app_context():
            for _ in range(10):
                try:
                    session = begin_write(db.session())
                    query = select(OutboxMessage).where(OutboxMessage.key == "counter").with_for_update()
                    row = session.scalar(query.execution_options(populate_existing=True))
                    row.body = {"n": row.body["n"] + 1}
                    session.commit()
                except Exception as exc:  # noqa: BLE001  # any failure of a thread fails the test
                    failures.append(exc)
                    session.rollback()
            db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    with app.app_context():
        assert db.session.scalar(select(OutboxMessage)).body == {"n": 40}


def test_sqlite_is_durable_and_keeps_its_references(make_app, tmp_path):
    with make_app(f"sqlite:///{tmp_path / 'own.db'}", init=False).app_context():
        pragmas = {
            p: db.session.scalar(text(f"PRAGMA {p}")) for p in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_who_has_no_patience_gives_up_and_leaves_the_connection_as_it_was(make_app, tmp_path):
    app = make_app(f"sqlite:///{tmp_path / 'x.db'}", init=False)
    with app.app_context():
        holder = begin_write(Session(db.engine))
        hurried = Session(db.engine)
        with pytest.raises(OperationalError, match="locked"):
            begin_write(hurried, patience_ms=20)
        hurried.close()
        holder.commit()
        holder.close()
        with Session(db.engine) as after:
            begin_write(after, patience_ms=20)
            assert after.scalar(text("PRAGMA busy_timeout")) == BUSY_TIMEOUT_MS
