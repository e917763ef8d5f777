"""The trail as files that verify on a machine which has nothing of ours."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
from sqlalchemy.orm import Session

from app.audit import store
from app.audit.service import AuditEvent, record
from app.audit.verify_service import kept_checkpoints, sign_checkpoint
from app.audit.walk_rules import StoredEvent
from app.kernel.errors import Conflict
from app.kernel.keys import KeyStore

_VERIFIER = Path(__file__).with_name("verify_audit.py")
_README = """管家手机 审计记录 / Butler phone MDM, audit trail

events.jsonl       一行一个事件，按顺序 / one event a line, in order
checkpoints.jsonl  签名检查点 / signed checkpoints
public_key.txt     Ed25519 公钥 / public key, hexadecimal
verify_audit.py    核对程序，只需要 Python 3.9 / verifies it, needs only Python 3.9

核对 / verify:    python3 verify_audit.py
用自己留存的检查点 / with a checkpoint that you kept:
                  python3 verify_audit.py --checkpoint FILE

它证明：最后一个由别人保存的检查点之前，什么也没有改过、删过。
It proves that nothing was changed or removed before the last checkpoint that somebody else holds.
"""


@dataclass(frozen=True)
class BundleInfo:
    """`size` events are in it; `head` is the hash of the last, hexadecimal."""

    size: int
    head: str


def begin_bundle(
    session: Session, keys: KeyStore, *, actor: str, now: dt.datetime, ip: str = ""
) -> BundleInfo:
    """Fix what is exported: sign a checkpoint, so that a signature covers all of it, and note the export.

    Commit before `write_bundle`: years of events take longer to write than a write lock may be held.
    """
    sign_checkpoint(session, keys, now)
    head = store.read_head(session)
    size, hashed = (head.size, head.hash.hex()) if head else (0, "")
    details = {"events": size, "head": hashed}
    event = AuditEvent(
        at=now, actor=actor, action="audit.exported", object="audit:trail", ip=ip, details=details
    )
    record(session, event)
    return BundleInfo(size, hashed)


def write_bundle(session: Session, keys: KeyStore, target: Path, info: BundleInfo) -> None:
    """Write the trail up to `info.size` to `target`: a zip file when it is called so, else a new or empty folder.

    Raise `Conflict` when something stands there already.
    """
    refuse_taken(target)
    if target.suffix.lower() != ".zip":
        _write_folder(session, keys, target, info.size)
        return
    with tempfile.TemporaryDirectory(prefix="butler-audit-", dir=target.parent) as scratch:
        folder = Path(scratch) / "audit"
        _write_folder(session, keys, folder, info.size)
        Path(shutil.make_archive(str(Path(scratch) / "made"), "zip", folder)).replace(target)


def refuse_taken(target: Path) -> None:
    """Raise `Conflict` when something stands at `target` already."""
    taken = any(target.iterdir()) if target.is_dir() else target.exists()
    if taken:
        raise Conflict(
            "目标已有内容，请换一个 / something stands there already: name a new place", code="target_taken"
        )


def _write_folder(session: Session, keys: KeyStore, folder: Path, size: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "events.jsonl").open("wb") as out:
        out.writelines(_event_lines(session, size))
    with (folder / "checkpoints.jsonl").open("wb") as out:
        for one in kept_checkpoints(session, keys):
            if one.size <= size:
                out.write(orjson.dumps(one.document()) + b"\n")
    (folder / "public_key.txt").write_text(keys.public_key("audit").hex() + "\n", encoding="utf-8")
    (folder / "README.txt").write_text(_README, encoding="utf-8")
    shutil.copyfile(_VERIFIER, folder / _VERIFIER.name)


def _event_lines(session: Session, size: int) -> Iterator[bytes]:
    for event in store.events_up_to(session, size):
        yield orjson.dumps(_line(event)) + b"\n"


def _line(event: StoredEvent) -> dict[str, object]:
    fields = event.fields
    return {
        "seq": fields.seq,
        "at_us": fields.at_us,
        "centre": fields.centre,
        "actor": fields.actor,
        "ip": fields.ip,
        "action": fields.action,
        "object": fields.object,
        "reason": fields.reason,
        "outcome": fields.outcome,
        "details": event.details,
        "salt": event.salt.hex() if event.salt is not None else None,
        "details_commit": fields.details_commit.hex(),
        "prev_hash": event.prev_hash.hex(),
        "hash": event.hash.hex(),
    }
