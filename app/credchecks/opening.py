"""A round begins: by the scheduler on policy's day, or by hand; with what each post had at that instant."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.credchecks import kit_store, store
from app.credchecks.asking import ask_phones
from app.credchecks.kit_store import Part
from app.credchecks.model import CheckItem, CheckRound
from app.credchecks.rules import PROFILE, SECRET, due_at, has_begun, month_of, points_of
from app.credchecks.states import Item, Round
from app.credchecks.telling import ask_to_file, tell_opened
from app.credchecks.tools import CHECKERS, SUBJECT, Tools
from app.escrow import SecretState, kit_secrets
from app.kernel.errors import Conflict
from app.kernel.ids import new_id
from app.kernel.tenancy import SYSTEM, Principal
from app.policy import Policy, PolicyFiles, effective, effective_many

_AT_ONCE = 2


def open_due(session: Session, tools: Tools, now: dt.datetime) -> int:
    """This month's rounds of the centres whose day has come and that have none yet, a few a run; how many were opened.

    A centre without kits gets its round with its first kit. All centres begin in one minute of the month, and a round
    of 100 kits takes a second to write: opened in one transaction they would hold every other writer up.
    """
    have = store.months_opened(session, month_of(now))
    missing = [centre for centre in store.centres(session) if centre not in have]
    opened = 0
    for centre, policy in effective_many(session, tools.policies, SUBJECT, missing).items():
        if has_begun(now, policy.body["opens_day"]):
            opened += _open(session, SYSTEM, tools, centre, policy, now) is not None
        if opened >= _AT_ONCE:
            break
    return opened


def open_round(
    session: Session, principal: Principal, tools: Tools, centre_id: uuid.UUID, now: dt.datetime
) -> CheckRound:
    """This month's round, before its day. Raise `Conflict` when it is open or closed already, or there is no kit."""
    principal.require_centre(centre_id)
    principal.require_role(centre_id, *CHECKERS)
    if centre_id in store.months_opened(session, month_of(now)):
        raise _exists()
    policy = effective(session, tools.policies, SUBJECT, centre_id)
    row = _open(session, principal, tools, centre_id, policy, now)
    if row is None:
        if centre_id in store.months_opened(session, month_of(now)):
            raise _exists()
        raise Conflict("这个服务中心的岗位还没有手机、号码或微信号 / no kit to check", code="no_kit")
    event = AuditEvent(
        at=now, actor=principal.user, action="round.open", object=f"round:{row.id}", centre_id=centre_id,
        details={"month": row.month},
    )  # fmt: skip
    record(session, event)
    return row


def _exists() -> Conflict:
    return Conflict(
        "本月的核对已经开始过，每月只有一次 / this month has its round already", code="round_exists"
    )


def _open(
    session: Session, actor: Principal, tools: Tools, centre_id: uuid.UUID, policy: Policy, now: dt.datetime
) -> CheckRound | None:
    parts = kit_store.parts_at(session, centre_id, now)
    if not parts:
        return None
    row = store.insert_round(
        session,
        {
            "id": new_id(), "centre_id": centre_id, "month": month_of(now), "state": Round.OPEN, "opened_at": now,
            "opened_by": actor.user, "due_at": due_at(now, policy.body["days"]), "settled_at": now, "reminded": 0,
            "policy_version": policy.version, "policy_sha256": policy.sha256,
        },
    )  # fmt: skip
    if row is None:
        return None
    secrets = states_of(session, tools.policies, parts, now)
    items = _items(session, row, policy, parts, secrets)
    session.add_all(items)
    session.flush()
    tell_opened(session, row, len(items), now)
    for item in items:
        if item.state == Item.UNFILED:
            ask_to_file(session, row, item, now)
    if policy.body["ask_phones"]:
        ask_phones(session, SYSTEM, row, items, secrets, tools, now)
    return row


def states_of(
    session: Session, policies: PolicyFiles, parts: Sequence[Part | CheckItem], now: dt.datetime
) -> dict[tuple[uuid.UUID, str], SecretState]:
    """By part and kind what the escrow says now. Internal: of parts that the caller may see."""
    ids: dict[str, set[uuid.UUID]] = defaultdict(set)
    for part in parts:
        ids[part.of].add(part.id if isinstance(part, Part) else part.subject_id)
    found = kit_secrets(
        session, SYSTEM, policies, handset_ids=ids["handset"], number_ids=ids["number"], wechat_ids=ids["wechat"],
        now=now,
    )  # fmt: skip
    return {(one.subject_id, one.kind): one for one in found}


def _items(
    session: Session,
    row: CheckRound,
    policy: Policy,
    parts: Sequence[Part],
    secrets: dict[tuple[uuid.UUID, str], SecretState],
) -> list[CheckItem]:
    holders = kit_store.holders_of_posts(session, {part.post_id for part in parts}, row.opened_at)
    expected, items = policy.body["expected"], list[CheckItem]()
    for part in parts:
        holder = holders.get(part.post_id)
        shared = {
            "centre_id": row.centre_id, "round_id": row.id, "post_id": part.post_id, "of": part.of,
            "holder_id": holder.id if holder else None, "subject_id": part.id, "subject_name": part.name,
        }  # fmt: skip
        for state in (s for (part_id, _), s in secrets.items() if part_id == part.id):
            if not state.filed and state.kind not in expected:
                continue
            items.append(
                CheckItem(
                    **shared, area=SECRET, kind=state.kind, label=state.label, rule="R07", hint="", picture=False,
                    state=Item.OPEN if state.filed else Item.UNFILED,
                )
            )  # fmt: skip
        if part.of == "wechat":
            items += [
                CheckItem(
                    **shared, area=PROFILE, kind=point.name, label=point.label, rule=point.rule, state=Item.OPEN,
                    hint=_hint(point.name, part), picture=point.picture,
                )
                for point in points_of(policy.body)
            ]  # fmt: skip
    for place, item in enumerate(items):
        item.place = place
    return items


def _hint(point: str, part: Part) -> str:
    """What the registry says it should be."""
    if point == "nickname":
        return part.name
    if point == "registered_number":
        return part.number or "档案里没有绑定号码"
    if point == "findable":
        return "、".join(text for text in (part.wechat_id, part.number) if text)
    return ""
