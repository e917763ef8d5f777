"""Passwords for the demo's kits, drawn at random and filed as people would; a file says which, for the demo only."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable

from sqlalchemy.orm import Session

from app.escrow import Filed, SecretState, Vault, confirm_secret, file_secret, kit_secrets
from app.kernel.tenancy import SYSTEM
from app.policy import PolicyFiles
from app.registry import Handset, kit_of

HEADER = (
    "# 演示密码：系统随机生成，只为试用（备案、核对、查看）。真实使用时，密码不会出现在任何文件里。\n"
    "# 演示手机每次启动都回到这里的锁屏密码。 / Demo passwords; nothing like this file exists in real use.\n"
)


def seed_secrets(
    session: Session,
    posts: Iterable[uuid.UUID],
    *,
    vault: Vault,
    policies: PolicyFiles,
    now: dt.datetime,
) -> list[str]:
    """File what was never filed of these posts' kits; a line for each: label, part, its serial, text; tab separated.

    Raise `Unavailable` while the escrow is not set up, or sealed.
    """
    lines = []
    for post in posts:
        kit = kit_of(session, post, now)
        states = kit_secrets(
            session, SYSTEM, policies, handset_ids=kit.handset_ids, number_ids=kit.number_ids,
            wechat_ids=kit.wechat_ids, now=now,
        )  # fmt: skip
        for state in states:
            if state.id is None:
                text = _file(session, state, vault, policies, now)
                phone = session.get(Handset, state.subject_id)
                serial = phone.serial if phone is not None else ""
                lines.append(f"{state.label}\t{state.subject_name}\t{serial}\t{text}")
    return lines


def _file(session: Session, state: SecretState, vault: Vault, policies: PolicyFiles, now: dt.datetime) -> str:
    drawn = Filed(state.of, state.subject_id, state.kind, None, in_force=False)
    secret, text = file_secret(session, SYSTEM, drawn, vault=vault, policies=policies, now=now)
    confirm_secret(session, SYSTEM, secret.id, now=now)
    return text
