"""Queries of tokens and sessions."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from app.people.key_model import ApiToken


def live_token(session: Session, secret_hash: str, now: dt.datetime) -> ApiToken | None:
    return session.scalar(
        select(ApiToken).where(
            ApiToken.secret_hash == secret_hash, ApiToken.revoked_at.is_(None), ApiToken.expires_at > now
        )
    )


def touch_token(session: Session, token_id: uuid.UUID, now: dt.datetime, unless_since: dt.datetime) -> None:
    session.execute(
        update(ApiToken)
        .where(ApiToken.id == token_id, or_(ApiToken.used_at.is_(None), ApiToken.used_at <= unless_since))
        .values(used_at=now)
    )
