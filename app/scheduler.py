"""Registers the rooms' jobs with APScheduler, in a process of its own, behind a leader lock."""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from app.kernel.db import begin_write, db
from app.kernel.jobs import Job, OutsideJob
from app.rooms import all_jobs
from app.runtime import runtime

log = structlog.get_logger(__name__)
_ADVISORY_LOCK = 0x6275746C6572  # "butler": one number for all schedulers of one database
_RETRY_S = 2.0
_WATCH_S = 5.0
_OUTSIDE = "outside"


class Leadership:
    """At most one holder a database: an advisory lock on PostgreSQL, `flock` beside the file on SQLite.

    Both end with their process or connection, so a killed leader is replaced at once.
    """

    def __init__(self, database_url: str, lock_file: Path) -> None:
        self._url = database_url
        self._path = lock_file
        self._file: Any = None
        self._connection: Connection | None = None

    def acquire(self) -> bool:
        if self._url.startswith("sqlite"):
            return self._acquire_file()
        return self._acquire_advisory()

    def still_held(self) -> bool:
        """False once the connection that carries the lock is gone: another may lead by now."""
        if self._connection is None:
            return self._file is not None
        try:
            self._connection.execute(text("SELECT 1"))
        except SQLAlchemyError:
            return False
        return True

    def release(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._file is not None:
            self._file.close()
        self._connection = self._file = None

    def _acquire_file(self) -> bool:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle = self._path.open("w")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.close()
            return False
        self._file = handle
        return True

    def _acquire_advisory(self) -> bool:
        try:
            engine = create_engine(self._url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
            connection = engine.connect()
            if connection.scalar(text("SELECT pg_try_advisory_lock(:n)"), {"n": _ADVISORY_LOCK}):
                self._connection = connection
                return True
            connection.close()
        except SQLAlchemyError as exc:
            log.warning("scheduler_no_database", kind=type(exc).__name__)
        return False


@contextlib.contextmanager
def write_transaction() -> Iterator[Session]:
    """One write transaction in an application context: committed at the end, rolled back by an error."""
    session = begin_write(db.session())
    try:
        yield session
        session.commit()
    finally:
        db.session.remove()


def run_job(app: Flask, job: Job | OutsideJob) -> int:
    """Run one job in one write transaction, or in those that it opens itself; what it raises is logged and rolled back,
    and the next run tries again.
    """
    with app.app_context():
        clock = runtime().clock
        try:
            if isinstance(job, OutsideJob):
                touched = job.run(write_transaction, clock)
            else:
                with write_transaction() as session:
                    touched = job.run(session, clock.now())
        except Exception as exc:
            log.exception("job_failed", job=job.name, exc_info=exc)
            raise
        log.info("job_done", job=job.name, touched=touched)
        return touched


def run_scheduler(app: Flask) -> None:
    """Wait for leadership, then run every job at its interval until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with app.app_context():
        settings = runtime().settings
    leadership = Leadership(settings.database_url, settings.var_dir / "scheduler.lock")
    waits = False
    while not stop.is_set():
        if leadership.acquire():
            waits = False
            _lead(app, leadership, stop)
            continue
        if not waits:
            # Told once: without it, a process that stands by looks like one that hangs.
            log.info("scheduler_waits")
            waits = True
        stop.wait(_RETRY_S)


def _lead(app: Flask, leadership: Leadership, stop: threading.Event) -> None:
    log.info("scheduler_leads")
    scheduler = BackgroundScheduler(
        timezone=dt.UTC, executors={"default": ThreadPoolExecutor(1), _OUTSIDE: ThreadPoolExecutor(1)}
    )
    for job in all_jobs():
        scheduler.add_job(
            _runner(app, job), "interval", seconds=job.every_s, id=job.name, jitter=min(30, job.every_s // 10),
            coalesce=True, max_instances=1, misfire_grace_time=None, next_run_time=_soon(app),
            executor=_OUTSIDE if isinstance(job, OutsideJob) else "default",
        )  # fmt: skip
    scheduler.start()
    try:
        while not stop.wait(_WATCH_S):
            if not leadership.still_held():
                log.warning("scheduler_lost_lead")
                break
    finally:
        scheduler.shutdown(wait=True)
        leadership.release()


def _soon(app: Flask) -> dt.datetime:
    with app.app_context():
        return runtime().clock.now() + dt.timedelta(seconds=1)


def _runner(app: Flask, job: Job | OutsideJob) -> Callable[[], None]:
    def run() -> None:
        # run_job has logged it; APScheduler's own log would print the exception's message.
        with contextlib.suppress(Exception):
            run_job(app, job)

    return run
