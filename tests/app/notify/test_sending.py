"""From a notice to what a real server got."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import threading

import pytest
from sqlalchemy import func, select

from app.kernel.db import db
from app.kernel.outbox import OutboxMessage
from app.kernel.tenancy import SYSTEM
from app.notify import Recipients, sending, tell
from app.notify.contacts import put_of
from app.notify.jobs import JOBS
from app.notify.model import Notice, NoticeCopy
from app.scheduler import run_job, write_transaction
from tests.app.notify.conftest import NOW, add_user
from tests.app.notify.servers import http_server, mail_server

SPREAD, COUNT, SEND, _ = JOBS
HOLD = 5 * 60


@pytest.fixture
def mails():
    with mail_server() as box:
        yield box


@pytest.fixture
def gateway():
    with http_server() as server:
        yield server


@pytest.fixture
def app(make_app, database_url, mails, gateway):
    """An installation with a mail server and an SMS gateway."""
    return make_app(
        database_url, BUTLER_SMTP_HOST="127.0.0.1", BUTLER_SMTP_PORT=str(mails.port),
        BUTLER_SMTP_SECURITY="none", BUTLER_SMTP_FROM="phones@example.cn", BUTLER_SMS_URL=gateway.url,
        BUTLER_SMS_TOKEN="t0ken", BUTLER_SMS_BODY='{"to": ["{mobile}"], "text": "{text}", "id": "{key}"}',
        BUTLER_SMS_SUCCESS='"code":0', PUBLIC_URL="http://127.0.0.1",
    )  # fmt: skip


@pytest.fixture
def reached(app, org):
    """Zhang has mail and mobile, Li a mobile alone; neither is a user."""
    with app.app_context(), write_transaction() as session:
        put_of(
            session,
            SYSTEM,
            org.zhang,
            mail="zhang@example.cn",
            mobile="13800138000",
            expected_version=0,
            now=NOW,
        )
        put_of(session, SYSTEM, org.li, mail="", mobile="13900139000", expected_version=0, now=NOW)


def told(app, org, key="k", who=None, *, now=NOW, title="关机事件待处理", body="请在三天内说明。", **more):
    to = more.pop("to", None) or Recipients(employees=(who or org.zhang,))
    with app.app_context(), write_transaction() as session:
        assert tell(
            session,
            key=key,
            kind="incident",
            centre_id=org.centre,
            to=to,
            title=title,
            body=body,
            now=now,
            **more,
        )


def run(app, clock, seconds=HOLD):
    run_job(app, SPREAD)
    clock.move(seconds)
    return run_job(app, SEND)


def outbox(app, topic=None):
    with app.app_context():
        query = select(OutboxMessage).where(
            OutboxMessage.topic.in_([topic] if topic else ["mail", "sms", "robot"])
        )
        return db.session.scalars(query.order_by(OutboxMessage.id)).all()


def parsed(mail):
    return email.message_from_bytes(mail[1], policy=email.policy.default)


def test_a_mail_leaves_once_with_its_words_and_link(app, org, reached, mails, gateway, clock):
    told(app, org, link="/my/incidents")
    assert run(app, clock, HOLD - 1) == 0
    clock.move(1)
    assert run_job(app, SEND) == 1
    ((to, _),) = mails.mails
    mail = parsed(mails.mails[0])
    assert to == ["zhang@example.cn"]
    assert mail["Subject"] == "关机事件待处理"
    assert "请在三天内说明。" in mail.get_content()
    assert "http://127.0.0.1/my/incidents" in mail.get_content()
    (row,) = outbox(app)
    assert mail["Message-ID"] == f"<{row.batch_id}@example.cn>"
    clock.move(86_400)
    assert run(app, clock) == 0
    assert (len(mails.mails), gateway.got) == (1, [])


def test_several_for_one_person_leave_as_one_and_another_persons_do_not(
    app, org, reached, mails, gateway, clock
):
    told(app, org, "a", title="第一件")
    run_job(app, SPREAD)
    clock.move(HOLD - 10)
    told(app, org, "b", title="第二件", now=clock.now())
    told(app, org, "c", org.li, title="别人的事", now=clock.now())
    run_job(app, SPREAD)
    clock.move(10)
    assert run_job(app, SEND) == 2
    (mail,) = map(parsed, mails.mails)
    assert mail["Subject"] == "您有 2 条通知"
    assert "1. 第一件" in mail.get_content()
    assert "2. 第二件" in mail.get_content()
    assert "别人" not in mail.get_content()
    clock.move(HOLD)
    assert run_job(app, SEND) == 1
    assert gateway.got[0][2]["text"] == "别人的事"


def test_an_sms_reaches_who_has_no_mail_and_anybody_when_urgent(app, org, reached, mails, gateway, clock):
    told(app, org, "a", org.li, title="一", link="/x")
    told(app, org, "b", org.zhang, title='二","to":["1"]', urgent=True)
    run(app, clock)
    bodies = {body["to"][0]: body for _, _, body in gateway.got}
    assert bodies["+8613900139000"]["text"] == "一 http://127.0.0.1/x"
    assert bodies["+8613800138000"]["text"] == '二","to":["1"]'  # a text cannot add a field
    (_, headers, body) = gateway.got[0]
    assert headers["Authorization"] == "Bearer t0ken"
    assert headers["Idempotency-Key"] == body["id"]
    assert len(mails.mails) == 1


@pytest.mark.parametrize(
    ("local", "leaves"),
    [
        ("20:54:59", "20:59:59"),
        ("20:55:00", "08:00:00+1"),
        ("23:59:59", "08:00:00+1"),
        ("00:00:00", "08:00:00"),
        ("07:54:59", "08:00:00"),
        ("07:55:00", "08:00:00"),
        ("08:00:00", "08:05:00"),
    ],
)
def test_nothing_leaves_at_quiet_hours_in_shanghai_but_what_is_urgent(
    app, org, reached, clock, local, leaves
):
    day = dt.datetime(2026, 11, 22, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    clock.set(day + _of(local))
    told(app, org, "a", now=clock.now())
    told(app, org, "b", now=clock.now(), urgent=True)
    run_job(app, SPREAD)
    due = {row.bundle.endswith("urgent"): row.due_at for row in outbox(app, "mail")}
    assert due == {False: day + _of(leaves), True: clock.now()}


def _of(text):
    clock, _, days = text.partition("+")
    time = dt.time.fromisoformat(clock)
    return dt.timedelta(hours=time.hour, minutes=time.minute, seconds=time.second, days=int(days or 0))


def test_what_fails_is_tried_again_later_and_given_up_in_sight(app, org, reached, mails, clock):
    with app.app_context(), write_transaction() as session:
        boss = add_user(session, "运营", None, ("operations", org.centre))
    mails.refuse = "451 try later"
    told(app, org)
    run(app, clock)
    waits, tries = [1, 5, 15, 60, 180, 720, 1440], 1
    for minutes in waits:
        clock.move(minutes * 60 - 1)
        run_job(app, SEND)
        assert outbox(app)[0].attempts == tries
        clock.move(1)
        run_job(app, SEND)
        tries += 1
        assert outbox(app)[0].attempts == tries
    (row,) = outbox(app)
    assert (row.attempts, row.last_error, row.given_up_at) == (8, "recipient_refused_451", clock.now())
    clock.move(10 * 86_400)
    mails.refuse = None
    assert run_job(app, SEND) == 0
    with app.app_context():
        note = db.session.scalars(select(Notice).where(Notice.kind == "undelivered")).one()
        assert db.session.scalars(
            select(NoticeCopy.user_id).where(NoticeCopy.notice_id == note.id)
        ).all() == [boss]
        assert "zhang" not in note.title + note.body
        assert "张三" not in note.title + note.body
    # It stays inside: that a mail does not get through is not told by mail.
    run_job(app, SPREAD)
    assert len(outbox(app)) == 1


def test_a_refused_address_is_given_up_at_once(app, org, reached, mails, clock):
    mails.refuse = "550 no such user here: zhang@example.cn"
    told(app, org)
    run(app, clock)
    (row,) = outbox(app)
    assert (row.last_error, row.attempts) == ("recipient_refused_550", 1)
    assert row.given_up_at == clock.now()


@pytest.mark.parametrize(
    ("status", "answer", "error", "final"),
    [
        (200, '{"code":17,"message":"balance"}', "gateway_refused", False),
        (500, "", "http_500", False),
        (302, "", "http_302", False),
        (429, "", "http_429", False),
        (400, "bad number", "http_400", True),
    ],
)
def test_a_gateways_refusal_is_no_success(app, org, reached, gateway, clock, status, answer, error, final):
    gateway.status, gateway.answer = status, answer
    told(app, org, who=org.li)
    run(app, clock)
    (row,) = outbox(app)
    assert (row.sent_at, row.last_error, row.given_up_at is not None) == (None, error, final)


def test_who_cannot_be_reached_at_all_is_seen(app, org, clock):
    told(app, org)
    run(app, clock)
    (row,) = outbox(app)
    assert (row.last_error, row.sent_at, row.attempts) == ("no_address", None, 0)
    with app.app_context():
        assert db.session.scalar(select(func.count()).where(Notice.kind == "undelivered")) == 1


def test_an_address_is_the_one_of_the_moment_of_sending(app, org, reached, mails, clock):
    told(app, org)
    run_job(app, SPREAD)
    with app.app_context(), write_transaction() as session:
        put_of(session, SYSTEM, org.zhang, mail="new@example.cn", mobile="", expected_version=1, now=NOW)
    clock.move(HOLD)
    run_job(app, SEND)
    assert [to for to, _ in mails.mails] == [["new@example.cn"]]


def test_a_kill_between_sending_and_marking_sends_again_under_the_same_key(
    app, org, reached, mails, clock, monkeypatch
):
    told(app, org, "a")
    run_job(app, SPREAD)
    clock.move(HOLD)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sending, "_mark", killed)
        with pytest.raises(KeyboardInterrupt):
            run_job(app, SEND)
    assert len(mails.mails) == 1
    told(app, org, "b", now=clock.now())  # what comes meanwhile does not change what the first one holds
    run_job(app, SPREAD)
    assert run_job(app, SEND) == 0
    clock.move(15 * 60)
    assert run_job(app, SEND) == 2
    first, *rest = map(parsed, mails.mails)
    again, other = sorted(rest, key=lambda mail: mail["Message-ID"] != first["Message-ID"])
    assert first["Message-ID"] == again["Message-ID"] != other["Message-ID"]
    assert first.get_content() == again.get_content()


def test_of_two_senders_at_once_one_sends(app, org, reached, mails, clock):
    for number in range(6):
        told(app, org, f"k{number}", org.zhang, urgent=number % 2 == 0)
    run_job(app, SPREAD)
    clock.move(HOLD)
    threads = [threading.Thread(target=run_job, args=(app, SEND)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert {row.sent_at for row in outbox(app, "mail")} == {clock.now()}
    keys = [parsed(mail)["Message-ID"] for mail in mails.mails]
    assert len(keys) == len(set(keys))
    assert sum(mail[1].count(b"Message-ID") for mail in mails.mails) == len(keys) <= 6
