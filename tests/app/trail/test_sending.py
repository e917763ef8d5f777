"""Checkpoints leave: into a folder, by mail, to a server; each once, retried, never over another."""

from __future__ import annotations

import email
import email.policy
import json

import pytest
from sqlalchemy import select

from app.audit import AuditEvent, read_checkpoint, record, verify
from app.kernel.db import begin_write, db
from app.kernel.outbox import OutboxMessage
from app.notify import NotSent
from app.scheduler import run_job
from app.settings import SettingsError, load_settings
from app.trail.jobs import JOBS
from app.trail.sending import TOPICS, to_folder
from tests.app.notify.servers import http_server, mail_server

SIGN, SEND = JOBS


def _event(app, clock):
    with app.app_context():
        session = begin_write(db.session())
        record(session, AuditEvent(at=clock.now(), actor="a", action="x.y", object="o:1"))
        session.commit()
        db.session.remove()


def _rows(app):
    with app.app_context():
        found = db.session.scalars(select(OutboxMessage).where(OutboxMessage.topic.in_(TOPICS))).all()
        db.session.remove()
        return found


def test_each_checkpoint_leaves_once_by_every_way(make_app, database_url, clock, tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    with mail_server() as box, http_server() as web:
        app = make_app(
            database_url, BUTLER_CHECKPOINT_DIR=str(folder), BUTLER_CHECKPOINT_MAIL="audit@example.cn",
            BUTLER_CHECKPOINT_URL=web.url, BUTLER_SMTP_HOST="127.0.0.1", BUTLER_SMTP_SECURITY="none",
            BUTLER_SMTP_FROM="phones@example.cn", BUTLER_SMTP_PORT=str(box.port),
        )  # fmt: skip
        assert run_job(app, SIGN) == 0
        _event(app, clock)
        assert [run_job(app, SIGN), run_job(app, SIGN)] == [1, 0]
        assert [run_job(app, SEND), run_job(app, SEND)] == [3, 0]
    kept = read_checkpoint(json.loads((folder / "checkpoint-000000000001.json").read_bytes()))
    assert read_checkpoint(web.got[0][2]) == kept
    assert len(web.got) == len(box.mails) == 1
    recipients, raw = box.mails[0]
    assert recipients == ["audit@example.cn"]
    mail = email.message_from_bytes(raw, policy=email.policy.default).get_content()
    assert read_checkpoint(json.loads(mail[mail.index("{") :])) == kept
    with app.app_context():
        assert verify(db.session(), app.extensions["butler"].keys, [kept]).problem is None
    runner = app.test_cli_runner()
    assert runner.invoke(args=["audit", "verify", "--checkpoint", str(folder)]).exit_code == 0


def test_what_does_not_leave_is_tried_again_and_told(make_app, database_url, clock, tmp_path):
    folder = tmp_path / "elsewhere"
    with http_server() as web:
        web.status = 500
        app = make_app(database_url, BUTLER_CHECKPOINT_DIR=str(folder), BUTLER_CHECKPOINT_URL=web.url)
        _event(app, clock)
        run_job(app, SIGN)
        assert run_job(app, SEND) == 0
        assert sorted(row.last_error for row in _rows(app)) == ["folder_missing", "http_500"]
        assert not folder.exists()
        folder.mkdir()
        clock.move(3600)
        assert run_job(app, SEND) == 1
    clock.move(3600)
    assert run_job(app, SEND) == 0
    assert {row.last_error for row in _rows(app) if row.sent_at is None} == {"unreachable"}
    assert len(web.got) == 2


def test_a_file_of_another_trail_is_not_overwritten(tmp_path):
    document = {"size": 7, "hash": "00"}
    to_folder(tmp_path, document)
    to_folder(tmp_path, document)
    with pytest.raises(NotSent, match="another_checkpoint_there"):
        to_folder(tmp_path, {**document, "hash": "01"})
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-000000000007.json"]


def test_nothing_is_sent_where_nothing_is_set_up(app, clock):
    _event(app, clock)
    assert run_job(app, SIGN) == 1
    assert _rows(app) == []
    with pytest.raises(SettingsError, match="needs a mail server"):
        load_settings({"BUTLER_CHECKPOINT_MAIL": "a@example.cn"})
