"""A phone in the hand becomes a registered one."""

from __future__ import annotations

import datetime as dt

import orjson
from sqlalchemy.orm import Session

from agent.wire import AdoptAnswer
from app.fleet import store
from app.fleet.refusals import bad_body, refusal
from app.fleet.schemas import AdoptionInput
from app.kernel.tenancy import Principal
from app.readings import AgentRef, forget_sighting
from app.registry import AdoptInput, adopt_handset, handsets_by_serial


def adopt(
    session: Session, agent: AgentRef, wanted: AdoptionInput, public_url: str | None, now: dt.datetime
) -> AdoptAnswer:
    """Register the phone in the agent's centre. The same `request` again gives the same answer.

    Raise `Invalid`, or `Conflict` naming the fields when this serial is registered with other data.
    """
    kept = store.claim_request(session, agent.id, wanted.request, "adopt", now)
    if kept is not None:
        if kept.kind != "adopt" or kept.answer is None:
            raise bad_body("request", "this id was used for something else")
        again: AdoptAnswer = orjson.loads(kept.answer)
        return again
    serial = wanted.identity["serial"]
    if agent.kind == "self":
        known = handsets_by_serial(session, [serial]).get(serial)
        if known is None or known.id != agent.handset_id:
            raise refusal("foreign_phone", "an agent on a phone speaks for that phone alone")
    principal = Principal(f"agent:{agent.id}", frozenset({"operations"}), frozenset({agent.centre_id}))
    proposed = AdoptInput(
        centre_id=agent.centre_id,
        asset_tag=wanted.asset_tag,
        serial=serial,
        brand=wanted.identity.get("brand") or wanted.identity.get("manufacturer") or "?",
        model=wanted.identity.get("model") or "?",
        imeis=wanted.imei,
        way_back=wanted.way_back,
    )
    handset, created = adopt_handset(session, principal, proposed, now)
    forget_sighting(session, serial)
    answer: AdoptAnswer = {
        "handset_id": str(handset.id),
        "asset_tag": handset.asset_tag,
        "status": "created" if created else "known",
        "label_url": f"{public_url}/phones/{handset.id}" if public_url else None,
    }
    store.keep_answer(session, agent.id, wanted.request, orjson.dumps(answer).decode())
    return answer
