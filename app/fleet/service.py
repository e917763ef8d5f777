"""Agents come and go: codes, enrolment, admission of each request, revocation."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from agent.wire import SIGNATURE_WINDOW_S, EnrolmentCode, key_fingerprint
from app.audit import AuditEvent, record
from app.fleet import store
from app.fleet.model import Agent, EnrolmentToken
from app.fleet.refusals import refusal
from app.fleet.rules import MAX_HOURS, TOKEN_BYTES, check_server_url, token_hash
from app.fleet.schemas import EnrolInput
from app.fleet.signatures import SignedCall
from app.kernel.errors import Conflict, FieldError, Invalid, NotFound
from app.kernel.ids import new_id, parse_id
from app.kernel.paging import DEFAULT_LIMIT, Page, SortKey, paginate
from app.kernel.tenancy import Principal
from app.people import names_of
from app.registry import ServiceCentre, find_handset

_AGENT, _GATEWAY = "agent:", "网关"
NONCE_KEPT = dt.timedelta(seconds=2 * SIGNATURE_WINDOW_S)


@dataclass(frozen=True)
class NewCode:
    """`code` holds the token: it goes to the person who asked for it and nowhere else."""

    code: EnrolmentCode
    expires_at: dt.datetime


def make_code(
    session: Session,
    principal: Principal,
    centre_id: uuid.UUID,
    *,
    url: str,
    command_key: bytes,
    name: str | None,
    handset_id: uuid.UUID | None,
    hours: int,
    now: dt.datetime,
) -> NewCode:
    """A code that admits one agent to one centre; with a phone, only an agent that runs on that phone.

    Raise `Invalid`, `NotFound` for a centre or phone that is not the caller's.
    """
    url = check_server_url(url)
    if not 1 <= hours <= MAX_HOURS:
        raise Invalid("有效期不正确", fields=[FieldError("hours", "range", f"must be from 1 to {MAX_HOURS}")])
    if not principal.sees(centre_id) or session.get(ServiceCentre, centre_id) is None:
        raise NotFound("没有这个服务中心 / no such service centre")
    if handset_id is not None and find_handset(session, principal, handset_id).centre_id != centre_id:
        raise Invalid(
            "手机不属于该服务中心", fields=[FieldError("handset_id", "foreign", "belongs to another centre")]
        )
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row = EnrolmentToken(
        id=new_id(), centre_id=centre_id, token_sha256=token_hash(token), name=name, handset_id=handset_id,
        created_by=principal.user, created_at=now, expires_at=now + dt.timedelta(hours=hours),
    )  # fmt: skip
    session.add(row)
    session.flush()
    details = {"name": name, "handset": handset_id and str(handset_id), "hours": hours}
    _note(session, principal.user, "agent.code", f"enrolment_token:{row.id}", centre_id, now, details=details)
    return NewCode(EnrolmentCode(url, token, key_fingerprint(command_key)), row.expires_at)


def centre_by_code(session: Session, code: str) -> uuid.UUID:
    """Raise `NotFound`."""
    found = store.centre_by_code(session, code)
    if found is None:
        raise NotFound(f"没有服务中心 {code} / no service centre with this code")
    return found


def handset_by_tag(session: Session, asset_tag: str) -> uuid.UUID:
    """Raise `NotFound`."""
    found = store.handset_by_tag(session, asset_tag)
    if found is None:
        raise NotFound(f"没有资产编号 {asset_tag} / no phone with this asset tag")
    return found


def enrol(session: Session, wanted: EnrolInput, now: dt.datetime) -> uuid.UUID:
    """The id of the enrolled agent; for the same token and key always the same, for a lost answer harms nobody.

    Raise `bad_token` (unknown, used by another key, expired, or of the other kind), `key_known`, `agent_revoked`.
    """
    row = store.locked_token(session, token_hash(wanted.token))
    if row is None:
        raise refusal("bad_token", "登记码无效 / this enrolment code is not known")
    if row.agent_id is not None:
        return _enrolled_before(session, row.agent_id, wanted)
    if row.expires_at <= now:
        raise refusal("bad_token", "登记码已过期 / this enrolment code has expired")
    if (row.handset_id is not None) != (wanted.kind == "self"):
        raise refusal(
            "bad_token", "登记码与代理类型不符 / this enrolment code is for the other kind of agent"
        )
    agent_id = new_id()
    made = store.insert_agent(
        session, id=agent_id, centre_id=row.centre_id, name=row.name or wanted.name, kind=wanted.kind,
        handset_id=row.handset_id, ed25519=wanted.ed25519, x25519=wanted.x25519, enrolled_at=now,
        version=wanted.version,
    )  # fmt: skip
    if not made:
        raise refusal("key_known", "an agent with this key is enrolled already: use new keys")
    row.used_at, row.agent_id = now, agent_id
    session.flush()
    details = {"kind": wanted.kind, "name": row.name or wanted.name, "token": str(row.id)}
    _note(
        session, f"agent:{agent_id}", "agent.enrol", f"agent:{agent_id}", row.centre_id, now, details=details
    )
    return agent_id


def _enrolled_before(session: Session, agent_id: uuid.UUID, wanted: EnrolInput) -> uuid.UUID:
    agent = session.get_one(Agent, agent_id, populate_existing=True)
    if agent.ed25519 != wanted.ed25519:
        raise refusal("bad_token", "登记码已被使用 / this enrolment code was used already")
    if agent.revoked_at is not None:
        raise refusal("agent_revoked", "this agent was revoked")
    return agent_id


def admit(session: Session, call: SignedCall, now: dt.datetime, **words: Any) -> None:
    """Take the nonce and note the agent's words. Raise `replayed`, `agent_revoked`."""
    if not store.touch(session, call.agent.id, **words):
        raise refusal("agent_revoked", "this agent was revoked")
    if not store.take_nonce(session, call.agent.id, call.nonce, now):
        raise refusal("replayed", "this nonce was seen before")


def find_agent(session: Session, principal: Principal, agent_id: uuid.UUID) -> Agent:
    found = store.find_agent(session, principal, agent_id)
    if found is None:
        raise NotFound("没有这个网关 / no such agent")
    return found


def revoke(
    session: Session, principal: Principal, agent_id: uuid.UUID, reason: str, now: dt.datetime
) -> Agent:
    """Refuse this agent from now on, for good. Raise `Conflict` when it was revoked before."""
    agent = find_agent(session, principal, agent_id)
    if not store.touch(session, agent.id, revoked_at=now, revoked_by=principal.user, revoke_reason=reason):
        raise Conflict("该网关已停用 / this agent was revoked already", code="already_revoked")
    _note(session, principal.user, "agent.revoke", f"agent:{agent.id}", agent.centre_id, now, reason=reason)
    return find_agent(session, principal, agent_id)


def list_agents(
    session: Session,
    principal: Principal,
    *,
    centre_id: uuid.UUID | None = None,
    revoked: bool | None = None,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[Agent]:
    """Newest first; `revoked` None: both."""
    keys = [
        SortKey("enrolled_at", Agent.enrolled_at, descending=True),
        SortKey("id", Agent.id, descending=True),
    ]
    query = store.agents_query(principal, centre_id, revoked)
    return paginate(session, query, keys, cursor=cursor, limit=limit)


def agent_names(session: Session, principal: Principal) -> dict[uuid.UUID, str]:
    """The names of all agents that the caller may see, the revoked ones too."""
    return store.agent_names(session, principal)


def actor_names(session: Session, actors: Collection[str]) -> dict[str, str]:
    """As `people.names_of`, and gateways by the name that they enrolled with: who may see what one did may see that."""
    ids = {a: found for a in actors if a.startswith(_AGENT) and (found := parse_id(a.removeprefix(_AGENT)))}
    names = store.names_of(session, set(ids.values())) if ids else {}
    called = {actor: names[found] for actor, found in ids.items() if found in names}
    # Many are called 网关 already: said twice it reads as a mistake.
    return names_of(session, actors) | {
        actor: name if _GATEWAY in name else f"{_GATEWAY} {name}" for actor, name in called.items()
    }


def _note(
    session: Session, actor: str, action: str, subject: str, centre_id: uuid.UUID, now: dt.datetime, *,
    reason: str = "", details: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    record(
        session,
        AuditEvent(
            at=now, actor=actor, action=action, object=subject, centre_id=centre_id, reason=reason,
            details=details or {},
        ),
    )  # fmt: skip
