"""A server of its own for the measurement: database, phones, one enrolled agent, and gunicorn as in production."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from agent import wire
from app.fleet.model import Agent
from app.kernel.clock import SystemClock
from app.kernel.db import Base, prepare_engine
from app.kernel.installation import initialise
from app.kernel.keys import KeyStore
from app.registry.model import Company, District, Handset, ServiceCentre
from app.tables import load_tables

ROOT = Path(__file__).resolve().parent.parent
_START_S = 60.0


@dataclass
class Site:
    """`phones` are the serials of registered phones of the agent's centre."""

    url: str
    agent_id: uuid.UUID
    key: Ed25519PrivateKey
    phones: list[str]
    server: psutil.Process
    session: requests.Session

    def workers(self) -> list[psutil.Process]:
        return self.server.children(recursive=True)

    def cpu_s(self) -> float:
        """CPU-seconds of the web processes so far: gunicorn's master and its workers."""
        times = [process.cpu_times() for process in (self.server, *self.workers())]
        return sum(t.user + t.system for t in times)

    def resident_bytes(self) -> int:
        """Of the largest web process, what it shares with the others counted as if it had it alone."""
        return max(int(process.memory_info().rss) for process in self.workers())

    def share_bytes(self) -> int:
        """What a web process costs: of master and workers together, shared pages counted once, a worker's part."""
        processes = (self.server, *self.workers())
        return sum(int(p.memory_full_info().pss) for p in processes) // len(self.workers())

    def signed(self, body: bytes) -> dict[str, str]:
        message = wire.HttpMessage("POST", self.url + wire.CHECKIN_PATH, {"Content-Encoding": "gzip"})
        now = int(SystemClock().now().timestamp())
        nonce = secrets.token_urlsafe(12)
        wire.sign_request(message, body, key=self.key, key_id=str(self.agent_id), nonce=nonce, created=now)
        return dict(message.headers)

    def send(self, body: bytes) -> dict[str, object]:
        answer = self.session.post(
            self.url + wire.CHECKIN_PATH, data=body, headers=self.signed(body), timeout=120
        )
        answer.raise_for_status()
        told: dict[str, object] = answer.json()
        if told["rejected"]:
            raise RuntimeError(f"the server refused entries: {str(told['rejected'])[:300]}")
        return told


@contextmanager
def site(database_url: str, var: Path, phones: int) -> Iterator[Site]:
    """Everything set up and listening on loopback; ended with the block."""
    engine = bare_engine(database_url)
    load_tables()
    Base.metadata.create_all(engine)
    key = Ed25519PrivateKey.generate()
    with Session(engine) as session:
        initialise(session, KeyStore(var / "keys", may_create=True), SystemClock().now())
        agent_id, serials = _register(session, key, phones)
        session.commit()
    engine.dispose()
    port = _free_port()
    process = _start(database_url, var, port)
    try:
        made = Site(
            f"http://127.0.0.1:{port}",
            agent_id,
            key,
            serials,
            psutil.Process(process.pid),
            requests.Session(),
        )
        _wait(made.url, process)
        with made.session:
            yield made
    finally:
        process.terminate()
        process.wait(30)


def bare_engine(database_url: str) -> Engine:
    """The engine that the server would use, without the server."""
    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://"))
    prepare_engine(engine)
    return engine


def _register(session: Session, key: Ed25519PrivateKey, phones: int) -> tuple[uuid.UUID, list[str]]:
    now = SystemClock().now()
    stamp = {"created_at": now, "updated_at": now}
    company = Company(name="示例物业", **stamp)
    session.add(company)
    session.flush()
    district = District(company_id=company.id, code="D", name="大区", **stamp)
    session.add(district)
    session.flush()
    centre = ServiceCentre(district_id=district.id, code="C", name="服务中心", **stamp)
    session.add(centre)
    session.flush()
    serials = [f"BENCH{n:05}" for n in range(phones)]
    for serial in serials:
        session.add(
            Handset(
                centre_id=centre.id,
                asset_tag=serial,
                serial=serial,
                brand="Xiaomi",
                model="M",
                specification={},
                **stamp,
            )
        )
    agent = Agent(
        centre_id=centre.id,
        name="bench",
        kind="gateway",
        ed25519=key.public_key().public_bytes_raw(),
        x25519=bytes(32),
        enrolled_at=now,
        version="0",
    )
    session.add(agent)
    session.flush()
    return agent.id, serials


def _start(database_url: str, var: Path, port: int) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "BUTLER_VAR_DIR": str(var),
        "BUTLER_LOG_LEVEL": "WARNING",
    }
    command = [str(Path(sys.executable).parent / "gunicorn"), "--bind", f"127.0.0.1:{port}", "wsgi:app"]
    with (var / "server.log").open("wb") as log:
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if requests.get(f"{url}/readyz", timeout=5).status_code == 200:
                return
        except (requests.ConnectionError, requests.Timeout):
            time.sleep(0.1)
    raise RuntimeError("the server did not become ready")
