"""Mail servers that hang, are away, or lack the promised encryption."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select

from app.kernel.db import begin_write, db
from app.kernel.outbox import OutboxMessage
from app.kernel.tenancy import SYSTEM
from app.notify import Recipients, tell
from app.notify.contacts import put_of
from app.notify.jobs import JOBS
from app.scheduler import run_job, write_transaction
from tests.app.notify.conftest import NOW
from tests.app.notify.servers import free_port, mail_server, silent_server

SPREAD, _, SEND, _ = JOBS


@pytest.fixture
def silent():
    with silent_server() as (port, asked):
        yield port, asked


@pytest.fixture
def plain():
    with mail_server() as box:
        yield box


@pytest.fixture
def install(make_app, database_url):
    """`install(port, security)`: an installation with that mail server."""

    def made(port, security):
        return make_app(
            database_url, BUTLER_SMTP_HOST="127.0.0.1", BUTLER_SMTP_PORT=str(port),
            BUTLER_SMTP_SECURITY=security, BUTLER_SMTP_FROM="phones@example.cn",
        )  # fmt: skip

    return made


def two_mails(app, org, clock):
    with app.app_context(), write_transaction() as session:
        for number, who in enumerate((org.zhang, org.li)):
            put_of(session, SYSTEM, who, mail=f"p{number}@example.cn", mobile="", expected_version=0, now=NOW)
            to = Recipients(employees=(who,))
            tell(
                session,
                key=f"{number}",
                kind="incident",
                centre_id=org.centre,
                to=to,
                title="t",
                body="b",
                now=NOW,
            )
    run_job(app, SPREAD)
    clock.move(300)


def outcome(app):
    with app.app_context():
        query = select(OutboxMessage).where(OutboxMessage.topic == "mail")
        return [(row.last_error, row.attempts, row.sent_at) for row in db.session.scalars(query)]


class TestSilent:
    @pytest.fixture
    def app(self, install, silent):
        return install(silent[0], "none")

    def test_it_holds_no_lock_and_is_asked_once_a_run(self, app, org, clock, silent, monkeypatch):
        monkeypatch.setattr("app.notify.channels.TIMEOUT_S", 1.5)
        two_mails(app, org, clock)
        sender = threading.Thread(target=run_job, args=(app, SEND))
        sender.start()
        assert silent[1].wait(20)
        with app.app_context():
            writer = begin_write(db.session())
            writer.execute(select(OutboxMessage)).all()
            assert sender.is_alive()  # the lock was to be had while it waits
            writer.rollback()
        sender.join(20)
        assert outcome(app) == [("timeout", 1, None)] * 2


class TestAway:
    @pytest.fixture
    def app(self, install):
        return install(free_port(), "starttls")

    def test_it_is_a_failure_like_others(self, app, org, clock):
        two_mails(app, org, clock)
        run_job(app, SEND)
        assert outcome(app) == [("unreachable", 1, None)] * 2


class TestPlain:
    @pytest.fixture(params=["starttls", "ssl"])
    def app(self, install, plain, request):
        return install(plain.port, request.param)

    def test_without_the_promised_encryption_it_gets_nothing(self, app, org, clock, plain):
        two_mails(app, org, clock)
        run_job(app, SEND)
        assert plain.mails == []
        assert [error for error, _, _ in outcome(app)] in (["protocol"] * 2, ["certificate_or_tls"] * 2)
