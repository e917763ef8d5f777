"""What a person sees of his own keys."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.people import key_store
from app.people.key_model import ApiToken, UserSession
from app.people.limits_rules import Limits
from app.people.model import User
from app.people.user_service import get_user


@dataclass(frozen=True)
class Own:
    user: User
    sessions: Sequence[UserSession]
    tokens: Sequence[ApiToken]
    has_factor: bool
    codes_left: int
    password_set_at: dt.datetime | None


def own_things(session: Session, user_id: uuid.UUID, limits: Limits, now: dt.datetime) -> Own:
    credential = key_store.credential(session, user_id)
    return Own(
        user=get_user(session, user_id),
        sessions=key_store.sessions_of(session, user_id, now, now - limits.idle),
        tokens=key_store.tokens_of(session, user_id, now),
        has_factor=credential is not None and credential.totp_sealed is not None,
        codes_left=key_store.recovery_codes_left(session, user_id),
        password_set_at=credential.password_set_at if credential else None,
    )
