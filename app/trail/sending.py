"""Checkpoints leave this machine: into a folder that is elsewhere, by mail, to another server.

Each is a row of the outbox in the transaction that signed it, and leaves at least once.
"""

from __future__ import annotations

import datetime as dt
import os
import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import structlog
from sqlalchemy.orm import Session

from app.audit import Checkpoint, sign_checkpoint
from app.kernel import outbox
from app.kernel.clock import Clock
from app.kernel.jobs import Transactions
from app.kernel.keys import KeyStore
from app.notify import Letter, NotSent, retry_at, send_mail
from app.policy import PolicyFiles
from app.settings import Settings

log = structlog.get_logger(__name__)
FOLDER, MAIL, URL = "checkpoint_folder", "checkpoint_mail", "checkpoint_url"
TOPICS = (FOLDER, MAIL, URL)
_LIMIT = 40
_LEASE = dt.timedelta(minutes=15)
_TIMEOUT_S = 10.0


def ways_out(settings: Settings) -> list[str]:
    """The topics that are set up here."""
    given = {
        FOLDER: settings.checkpoint_dir,
        MAIL: settings.checkpoint_mail,
        URL: settings.checkpoint_url,
    }
    return [topic for topic in TOPICS if given[topic]]


def checkpoint_now(
    session: Session, keys: KeyStore, settings: Settings, now: dt.datetime
) -> Checkpoint | None:
    """Sign what stands and put it on its way; None when nothing has happened since the last checkpoint."""
    made = sign_checkpoint(session, keys, now)
    for topic in ways_out(settings) if made else ():
        assert made is not None
        outbox.post(session, key=f"{topic}:{made.size}", topic=topic, body=made.document(), now=now)
    return made


def send_checkpoints(
    transactions: Transactions, clock: Clock, settings: Settings, policies: PolicyFiles
) -> int:
    """Send what is due; returns how many left."""
    with transactions() as session:
        rows = outbox.claim(session, clock.now(), limit=_LIMIT, retry_after=_LEASE, topics=TOPICS)
        due = [(row.id, row.topic, row.attempts, dict(row.body)) for row in rows]
    waits: Sequence[int] = policies.latest("notify").body["retry_minutes"]
    senders = _senders(settings, clock)
    sent = 0
    for message_id, topic, attempts, document in due:
        error = _send(senders[topic], topic, document)
        with transactions() as session:
            _mark(session, message_id, error, retry_at(clock.now(), attempts, waits), clock.now())
        sent += error is None
    return sent


def _mark(
    session: Session,
    message_id: uuid.UUID,
    error: NotSent | None,
    again: dt.datetime | None,
    now: dt.datetime,
) -> None:
    if error is None:
        outbox.mark_sent(session, message_id, now)
    else:
        again = None if error.final else again
        outbox.mark_failed(session, message_id, error.code, retry_at=again, now=now)


def _send(sender: Callable[[dict[str, Any]], None], topic: str, document: dict[str, Any]) -> NotSent | None:
    try:
        sender(document)
    except NotSent as exc:
        log.warning("checkpoint_not_sent", way=topic, code=exc.code, size=document["size"])
        return exc
    return None


def _senders(settings: Settings, clock: Clock) -> Mapping[str, Callable[[dict[str, Any]], None]]:
    return {
        FOLDER: lambda document: to_folder(settings.checkpoint_dir, document),
        MAIL: lambda document: _to_mail(settings, document, clock),
        URL: lambda document: _to_url(settings, document),
    }


def to_folder(folder: Path | None, document: dict[str, Any]) -> None:
    """A file of its own for each checkpoint, never overwritten. Raise `NotSent`."""
    if folder is None:
        raise NotSent("not_configured")
    # Not made when it is missing: it may be a disk that is not mounted, and the checkpoint would stay on this one.
    if not folder.is_dir():
        raise NotSent("folder_missing")
    data = orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"
    target = folder / f"checkpoint-{document['size']:012d}.json"
    scratch = folder / f".{target.name}.{secrets.token_hex(4)}"
    try:
        with scratch.open("xb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(scratch, target)  # never overwrites: what another trail left here is evidence
        except FileExistsError:
            if target.read_bytes() != data:
                raise NotSent("another_checkpoint_there", final=True) from None
        finally:
            scratch.unlink()
    except OSError as exc:
        raise NotSent(f"folder_{exc.errno}") from None


def _to_mail(settings: Settings, document: dict[str, Any], clock: Clock) -> None:
    text = (
        "请保留这封邮件：它证明到这一刻为止的审计记录。\n"
        "核对：把下面的内容存成文件，运行 flask audit verify --checkpoint 文件。\n"
        "Keep this mail: it proves the audit trail up to here.\n\n"
        + orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
        + "\n"
    )
    key = f"checkpoint-{document['size']}-{document['hash'][:16]}"
    subject = f"审计检查点 {document['size']}"
    send_mail(settings, Letter(key, settings.checkpoint_mail or "", subject, text), clock)


def _to_url(settings: Settings, document: dict[str, Any]) -> None:
    if not settings.checkpoint_url:
        raise NotSent("not_configured")
    # Loaded by who sends: web processes do without it.
    import requests

    headers = {"Idempotency-Key": f"checkpoint-{document['size']}-{document['hash'][:16]}"}
    try:
        answer = requests.post(
            settings.checkpoint_url, json=document, headers=headers, timeout=_TIMEOUT_S, allow_redirects=False
        )
    except requests.Timeout:
        raise NotSent("timeout") from None
    except requests.RequestException:
        raise NotSent("unreachable") from None
    if not 200 <= answer.status_code < 300:
        raise NotSent(f"http_{answer.status_code}")
