"""One scheduler leads, another takes over when it dies; a job that fails leaves nothing behind."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.kernel.db import db
from app.kernel.jobs import Job
from app.kernel.outbox import OutboxMessage, post
from app.logs import configure_logs
from app.rooms import all_jobs
from app.scheduler import Leadership, run_job
from tests.architecture.source import ROOT

_PATIENCE_S = 60
Start = Callable[[str], tuple[subprocess.Popen[bytes], Path]]


@pytest.fixture
def start(database_url: str, tmp_path: Path) -> Iterator[Start]:
    """`start(name)`: a real scheduler process on the test's database, and its log."""
    running: list[subprocess.Popen[bytes]] = []

    def begin(name: str) -> tuple[subprocess.Popen[bytes], Path]:
        log = tmp_path / f"{name}.log"
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "scheduler", "run"]
        settings = {
            "BUTLER_ENV": "test",
            "DATABASE_URL": database_url,
            "BUTLER_VAR_DIR": str(tmp_path / "var"),
        }
        with log.open("wb") as out:
            running.append(
                subprocess.Popen(command, cwd=ROOT, env={**os.environ, **settings}, stdout=out, stderr=out)
            )
        return running[-1], log

    yield begin
    for process in running:
        process.kill()
        process.wait()


def _await(log: Path, event: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while event not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, f"no {event} in: {log.read_text()}"
        time.sleep(0.05)


def test_a_killed_leader_is_replaced(start: Start) -> None:
    first, first_log = start("first")
    _await(first_log, "event=job_done", first)
    second, second_log = start("second")
    _await(second_log, "event=scheduler_waits", second)
    assert "scheduler_leads" not in second_log.read_text()
    first.kill()
    _await(second_log, "event=job_done", second)
    second.terminate()
    assert second.wait(_PATIENCE_S) == 0
    assert "Traceback" not in second_log.read_text()


def test_one_leads_until_it_lets_go(database_url: str, tmp_path: Path) -> None:
    url = database_url.replace("postgresql://", "postgresql+psycopg://")
    one, other = (Leadership(url, tmp_path / "scheduler.lock") for _ in range(2))
    assert one.acquire()
    assert not other.acquire()
    assert one.still_held()
    assert not other.still_held()
    one.release()
    assert not one.still_held()
    assert other.acquire()
    other.release()


def test_a_job_is_one_transaction(app: Flask) -> None:
    def half(session: Session, now: dt.datetime) -> int:
        post(session, key="half", topic="t", body={}, now=now)
        raise ValueError("the secret is 4711")

    def whole(session: Session, now: dt.datetime) -> int:
        return int(post(session, key="whole", topic="t", body={}, now=now))

    with pytest.raises(ValueError, match="4711"):
        run_job(app, Job("half", 60, half))
    assert run_job(app, Job("whole", 60, whole)) == 1
    with app.app_context():
        assert db.session.scalars(select(OutboxMessage.key)).all() == ["whole"]


def test_a_failed_job_is_logged_without_what_it_said(capfd: pytest.CaptureFixture[str], app: Flask) -> None:
    def fail(session: Session, now: dt.datetime) -> int:
        raise ValueError("the secret is 4711")

    configure_logs("INFO")  # again, for it writes to what is standard error at that moment
    with pytest.raises(ValueError, match="4711"):
        run_job(app, Job("fail", 60, fail))
    said = capfd.readouterr().err
    assert "job=fail" in said
    assert "ValueError" in said
    assert "4711" not in said


def test_every_job_runs_on_an_empty_database(app: Flask) -> None:
    jobs = all_jobs()
    assert len({job.name for job in jobs}) == len(jobs) > 4
    for job in jobs:
        assert run_job(app, job) == 0
