"""The second factor: six digits of an authenticator app (RFC 6238), or a recovery code, each good once."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.orm import Session

from app.kernel.errors import Conflict, FieldError, Invalid, Unavailable
from app.kernel.keys import KeyStore
from app.people import key_store
from app.people.key_model import Credential, RecoveryCode
from app.people.key_rules import kept, matching_step, new_factor, new_recovery_codes, normal_recovery_code
from app.people.limits_rules import Limits

_NONCE = 12


def begin_enrolment(
    session: Session, keys: KeyStore, user_id: uuid.UUID, limits: Limits, now: dt.datetime
) -> str:
    """The secret for the app: of the enrolment that waits, or a new one; a factor in force counts until it is
    confirmed.
    """
    row = _credential(session, user_id)
    known = _waiting(keys, row, limits, now)
    if known is not None:
        return known
    secret = new_factor()
    row.totp_next = _seal(keys, user_id, f"{secret} {int(now.timestamp())}")
    session.flush()
    return secret


def waiting_secret(
    session: Session, keys: KeyStore, user_id: uuid.UUID, limits: Limits, now: dt.datetime
) -> str | None:
    """The secret of an enrolment that waits to be confirmed."""
    row = key_store.credential(session, user_id)
    return None if row is None else _waiting(keys, row, limits, now)


def _waiting(keys: KeyStore, row: Credential, limits: Limits, now: dt.datetime) -> str | None:
    """None also for one that was begun longer ago than a sign-in may take: left open, it would let whoever finds the
    screen put his own app in the place of the owner's, whose password was asked for at the beginning only.
    """
    if row.totp_next is None:
        return None
    secret, _, begun = _open(keys, row.user_id, row.totp_next).partition(" ")
    return secret if begun and now.timestamp() - int(begun) < limits.half.total_seconds() else None


def confirm_enrolment(
    session: Session, keys: KeyStore, user_id: uuid.UUID, typed: str, limits: Limits, now: dt.datetime
) -> list[str]:
    """Put the factor in force; the recovery codes, shown once. Raise `Invalid` for digits of another secret."""
    row = _credential(session, user_id)
    secret = _waiting(keys, row, limits, now)
    if secret is None:
        raise Conflict("没有等待确认的验证器，请重新开始设置 / no enrolment waits: begin anew")
    step = matching_step(secret, typed, now.timestamp(), 0)
    if step is None:
        raise wrong_code()
    row.totp_sealed, row.totp_next, row.totp_last_step = _seal(keys, user_id, secret), None, step
    return renew_recovery_codes(session, user_id, limits, now)


def renew_recovery_codes(session: Session, user_id: uuid.UUID, limits: Limits, now: dt.datetime) -> list[str]:
    """New ones in the place of all that there were."""
    key_store.drop_recovery_codes(session, user_id)
    codes = new_recovery_codes(limits.recovery_codes)
    session.add_all(RecoveryCode(user_id=user_id, code_hash=kept(code), created_at=now) for code in codes)
    session.flush()
    return codes


def check_code(
    session: Session, keys: KeyStore, user_id: uuid.UUID, typed: str, now: dt.datetime
) -> str | None:
    """Use up a code: `app` or `recovery` tells which it was, None that it was none."""
    row = _credential(session, user_id)
    if row.totp_sealed is None:
        return None
    step = matching_step(_open(keys, user_id, row.totp_sealed), typed, now.timestamp(), row.totp_last_step)
    if step is not None:
        return "app" if key_store.take_step(session, user_id, step) else None
    code = kept(normal_recovery_code(typed))
    return "recovery" if key_store.take_recovery_code(session, user_id, code, now) else None


def drop_factor(session: Session, user_id: uuid.UUID) -> None:
    """For somebody who lost his app and his codes: he enrols anew at the next sign-in."""
    row = _credential(session, user_id)
    row.totp_sealed = row.totp_next = None
    key_store.drop_recovery_codes(session, user_id)
    session.flush()


def wrong_code() -> Invalid:
    text = "验证码不正确，或已经用过；请等下一个验证码"
    return Invalid(text, code="bad_code", fields=[FieldError("code", "bad_code", text)])


def _credential(session: Session, user_id: uuid.UUID) -> Credential:
    row = key_store.credential(session, user_id)
    if row is None:
        raise Conflict("这个用户还没有密码 / this user has no password yet")
    return row


def _seal(keys: KeyStore, user_id: uuid.UUID, secret: str) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(keys.secret("sign-in")).encrypt(nonce, secret.encode(), _bound(user_id))


def _open(keys: KeyStore, user_id: uuid.UUID, sealed: bytes) -> str:
    try:
        opened = AESGCM(keys.secret("sign-in")).decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound(user_id))
    except InvalidTag:
        raise Unavailable(
            "验证器的密钥无法打开：sign-in.key 不是加密它的那一把 / sign-in.key is not the key that sealed it"
        ) from None
    return opened.decode()


def _bound(user_id: uuid.UUID) -> bytes:
    """A sealed secret opens in its own row only."""
    return b"butler-totp-v1\0" + user_id.bytes
