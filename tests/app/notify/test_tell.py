from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select

from app.kernel.db import begin_write, db
from app.kernel.outbox import OutboxMessage
from app.notify import Recipients, store, tell
from app.notify.model import Notice, NoticeCopy
from app.notify.service import SPREAD
from tests.app.notify.conftest import NOW, add_user, person


def copies(session):
    rows = session.execute(select(NoticeCopy.user_id, NoticeCopy.employee_id))
    return {tuple(row) for row in rows}


def test_a_key_is_told_once(session, org, say):
    to = Recipients(employees=(org.zhang,))
    assert say("incident:1", to)
    assert not say("incident:1", to, title="另一个")
    assert session.scalar(select(func.count()).select_from(Notice)) == 1
    (message,) = session.scalars(select(OutboxMessage)).all()
    assert (message.topic, message.centre_id) == (SPREAD, org.centre)


def test_who_has_several_reasons_is_told_once(session, org, say):
    zhang = add_user(session, "张三", org.zhang, ("lead", org.centre))
    boss = add_user(session, "王总", None, ("lead", None), ("operations", org.centre))
    add_user(session, "外人", None, ("lead", org.other_centre))
    say("k", Recipients(employees=(org.zhang, org.li, org.li), users=(boss,), roles=("lead", "operations")))
    assert copies(session) == {(zhang, org.zhang), (None, org.li), (boss, None)}


def test_an_inbox_holds_its_owners_notices_only_whatever_the_role(session, org, say):
    zhang = add_user(session, "张三", org.zhang, ("butler", org.centre))
    admin = add_user(session, "管理员", None, ("admin", None))
    say("k", Recipients(employees=(org.zhang,)))
    assert store.unread(session, person(zhang, employee=org.zhang)) == 1
    assert store.unread(session, person(admin, roles=("admin",))) == 0
    assert store.unread(session, person("access-token", roles=("admin",))) == 0


def test_who_becomes_a_user_later_finds_what_he_was_told_before(session, org, say):
    say("k", Recipients(employees=(org.li,)))
    li = add_user(session, "李四", org.li, ("butler", org.centre))
    assert store.unread(session, person(li, employee=org.li)) == 1


@pytest.mark.parametrize("title", ["一\0行\n两行", "x" * 999])
def test_what_others_wrote_is_made_fit(session, org, say, title):
    assert say("k", Recipients(), title=title, body="第一行\0\n第二行\ud800" + "长" * 9999)
    notice = session.scalars(select(Notice)).one()
    assert "\0" not in notice.title + notice.body
    assert "\n" not in notice.title
    assert notice.body.startswith("第一行\n第二行长")
    assert len(notice.title) <= 200
    assert len(notice.body) <= 4000


def test_of_two_causes_at_once_one_tells(app, org):
    told = []

    def other() -> None:
        with app.app_context():
            mine = begin_write(db.session())
            told.append(_tell(mine, org))
            mine.commit()
            db.session.remove()

    thread = threading.Thread(target=other)
    with app.app_context():
        first = begin_write(db.session())
        assert _tell(first, org)
        thread.start()
        thread.join(0.2)
        assert told == []
        first.commit()
        thread.join(15)
        assert told == [False]
        assert first.scalar(select(func.count()).select_from(NoticeCopy)) == 1


def _tell(session, org):
    to = Recipients(employees=(org.zhang,))
    return tell(
        session, key="same", kind="incident", centre_id=org.centre, to=to, title="t", body="b", now=NOW
    )
