from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, Select, delete, or_, select, update
from sqlalchemy.orm import Session

from app.fleet.model import Agent, AgentNonce, AgentRequest, EnrolmentToken
from app.kernel.db import insert_into
from app.kernel.tenancy import Principal, within
from app.registry import Handset, HandsetRef, ServiceCentre


def find_key(session: Session, agent_id: uuid.UUID) -> Row[*tuple[Any, ...]] | None:
    """What a signature is checked with: columns only, for this runs before anybody is known."""
    columns = (Agent.id, Agent.centre_id, Agent.kind, Agent.handset_id, Agent.ed25519, Agent.revoked_at)
    return session.execute(select(*columns).where(Agent.id == agent_id)).one_or_none()


def box_key(session: Session, agent_id: uuid.UUID) -> bytes:
    """The X25519 key to which what only this agent may read is sealed."""
    return session.scalars(select(Agent.x25519).where(Agent.id == agent_id)).one()


def touch(session: Session, agent_id: uuid.UUID, **words: Any) -> bool:
    """Lock the agent's row and note its words; False when it was revoked meanwhile."""
    alive = update(Agent).where(Agent.id == agent_id, Agent.revoked_at.is_(None)).values(**words)
    found = alive.returning(Agent.id).execution_options(synchronize_session=False)
    return session.execute(found).one_or_none() is not None


def take_nonce(session: Session, agent_id: uuid.UUID, nonce: str, now: dt.datetime) -> bool:
    """False when it was taken before; a request with the same nonce in this moment waits here for our end."""
    new = insert_into(session, AgentNonce).values(agent_id=agent_id, nonce=nonce, seen_at=now)
    taken = new.on_conflict_do_nothing().returning(AgentNonce.nonce)
    return session.execute(taken).one_or_none() is not None


def claim_request(
    session: Session, agent_id: uuid.UUID, request_id: uuid.UUID, kind: str, now: dt.datetime
) -> AgentRequest | None:
    """None when this id is new and now ours; else what stands there. A double in this moment waits for the first."""
    new = insert_into(session, AgentRequest).values(
        agent_id=agent_id, request_id=request_id, kind=kind, at=now
    )
    taken = new.on_conflict_do_nothing().returning(AgentRequest.request_id)
    if session.execute(taken).one_or_none() is not None:
        return None
    return session.get_one(AgentRequest, (agent_id, request_id), populate_existing=True)


def keep_answer(session: Session, agent_id: uuid.UUID, request_id: uuid.UUID, answer: str) -> None:
    session.execute(
        update(AgentRequest)
        .where(AgentRequest.agent_id == agent_id, AgentRequest.request_id == request_id)
        .values(answer=answer)
        .execution_options(synchronize_session=False)
    )


def locked_token(session: Session, token_sha256: bytes) -> EnrolmentToken | None:
    query = select(EnrolmentToken).where(EnrolmentToken.token_sha256 == token_sha256)
    return session.scalar(query.with_for_update().execution_options(populate_existing=True))


def insert_agent(session: Session, **values: Any) -> bool:
    """False when an agent with this key exists."""
    new = insert_into(session, Agent).values(**values).on_conflict_do_nothing().returning(Agent.id)
    return session.execute(new).one_or_none() is not None


def find_agent(session: Session, principal: Principal, agent_id: uuid.UUID) -> Agent | None:
    query = select(Agent).where(Agent.id == agent_id, within(principal, Agent.centre_id))
    return session.scalar(query.execution_options(populate_existing=True))


def agents_query(principal: Principal, centre_id: uuid.UUID | None, revoked: bool | None) -> Select[Agent]:
    query = select(Agent).where(within(principal, Agent.centre_id))
    if centre_id is not None:
        query = query.where(Agent.centre_id == centre_id)
    if revoked is not None:
        query = query.where(Agent.revoked_at.is_not(None) if revoked else Agent.revoked_at.is_(None))
    return query


def agent_names(session: Session, principal: Principal) -> dict[uuid.UUID, str]:
    query = select(Agent.id, Agent.name).where(within(principal, Agent.centre_id))
    return {row.id: row.name for row in session.execute(query)}


def names_of(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    rows = session.execute(select(Agent.id, Agent.name).where(Agent.id.in_(ids)))
    return {row.id: row.name for row in rows}


def centre_by_code(session: Session, code: str) -> uuid.UUID | None:
    return session.scalar(select(ServiceCentre.id).where(ServiceCentre.code == code))


def handset_by_tag(session: Session, asset_tag: str) -> uuid.UUID | None:
    return session.scalar(select(Handset.id).where(Handset.asset_tag == asset_tag))


def handsets(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, HandsetRef]:
    rows = session.scalars(select(Handset).where(Handset.id.in_(ids)))
    return {
        h.id: HandsetRef(
            h.id, h.centre_id, h.serial, tuple(i.imei for i in h.imeis), h.retired_at is not None
        )
        for h in rows
    }


def prune_nonces(session: Session, before: dt.datetime) -> int:
    gone = delete(AgentNonce).where(AgentNonce.seen_at < before).returning(AgentNonce.nonce)
    return len(session.execute(gone).all())


def prune_requests(session: Session, before: dt.datetime) -> int:
    gone = delete(AgentRequest).where(AgentRequest.at < before).returning(AgentRequest.request_id)
    return len(session.execute(gone).all())


def prune_tokens(session: Session, before: dt.datetime) -> int:
    """Forget codes that ended long ago; who made and used them stands in the audit trail."""
    old = or_(EnrolmentToken.used_at < before, EnrolmentToken.used_at.is_(None))
    gone = delete(EnrolmentToken).where(EnrolmentToken.expires_at < before, old)
    return len(session.execute(gone.returning(EnrolmentToken.id)).all())
