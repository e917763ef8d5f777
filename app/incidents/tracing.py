"""What was said of phones, as a file that `flask uptime replay` rules as the server did."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection

from sqlalchemy.orm import Session

from app.incidents.gather import gather, policy_line
from app.incidents.service import get
from app.kernel.errors import Invalid
from app.kernel.tenancy import SYSTEM, Principal
from app.policy import Policy, PolicyFiles, effective, effective_many
from app.registry import find_handset
from app.uptime import Line, as_json


def export_trace(
    session: Session, policies: PolicyFiles, handset_ids: Collection[uuid.UUID], now: dt.datetime
) -> bytes:
    """JSON lines, sorted, of all that counts for these phones; the `policy` line bears `t` = now.

    Employees are ids, never names. Raise `NotFound` for an unknown phone, `Invalid` where the phones' centres have
    different policies: one trace is ruled by one. Internal: the caller checked rights.
    """
    lines: list[Line] = []
    found: dict[uuid.UUID, Policy] = {}
    for handset_id in sorted(set(handset_ids)):
        centre_id = find_handset(session, SYSTEM, handset_id).centre_id
        if centre_id not in found:
            found[centre_id] = effective(session, policies, "uptime", centre_id)
        lines += gather(session, handset_id, now).all
    if len({policy.sha256 for policy in found.values()}) > 1:
        raise Invalid("这些手机适用的制度参数不同，请分别导出 / these phones are ruled by different policies")
    written = {as_json(line) for line in lines}
    for policy in list(found.values())[:1]:
        written.add(as_json(policy_line(policy, now)))
    return b"".join(line + b"\n" for line in sorted(written))


def ruled_alike(
    session: Session, policies: PolicyFiles, handset_ids: Collection[uuid.UUID], centre_id: uuid.UUID
) -> list[uuid.UUID]:
    """Those of the phones, in order, that are ruled by the very policy of the centre: one trace can hold them."""
    centre_of = {one: find_handset(session, SYSTEM, one).centre_id for one in sorted(set(handset_ids))}
    found = effective_many(session, policies, "uptime", {centre_id, *centre_of.values()})
    return [one for one, where in centre_of.items() if found[where].sha256 == found[centre_id].sha256]


def trace_of_incident(
    session: Session, principal: Principal, policies: PolicyFiles, incident_id: uuid.UUID, now: dt.datetime
) -> bytes:
    """The trace of an incident's phone. Raise `NotFound` as `get`."""
    return export_trace(session, policies, [get(session, principal, incident_id).handset_id], now)
