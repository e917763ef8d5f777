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
from app.policy import PolicyFiles, effective
from app.registry import find_handset
from app.runtime import runtime
from app.uptime import Line, as_json


def export_trace(session: Session, handset_ids: Collection[uuid.UUID], now: dt.datetime) -> bytes:
    """JSON lines, sorted, of all that counts for these phones; the `policy` line bears `t` = now.

    Employees are ids, never names. Raise `NotFound` for an unknown phone, `Invalid` where the phones' centres have
    different policies: one trace is ruled by one. Internal: the caller checked rights.
    """
    files: PolicyFiles = runtime().policies
    lines: list[Line] = []
    policies = {}
    for handset_id in sorted(set(handset_ids)):
        centre_id = find_handset(session, SYSTEM, handset_id).centre_id
        if centre_id not in policies:
            policies[centre_id] = effective(session, files, "uptime", centre_id)
        lines += gather(session, handset_id, now).all
    if len({policy.sha256 for policy in policies.values()}) > 1:
        raise Invalid("这些手机适用的制度参数不同，请分别导出 / these phones are ruled by different policies")
    written = {as_json(line) for line in lines}
    for policy in list(policies.values())[:1]:
        written.add(as_json(policy_line(policy, now)))
    return b"".join(line + b"\n" for line in sorted(written))


def trace_of_incident(
    session: Session, principal: Principal, incident_id: uuid.UUID, now: dt.datetime
) -> bytes:
    """The trace of an incident's phone. Raise `NotFound` as `get`."""
    return export_trace(session, [get(session, principal, incident_id).handset_id], now)
