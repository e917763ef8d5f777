"""What exemptions tell of the life of a phone."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.compliance import exemption_store as store
from app.compliance.exemption_model import ComplianceExemption
from app.compliance.exemption_rules import last_day
from app.compliance.exemption_states import WORDS, State
from app.compliance.finding_words import title_of
from app.kernel.tenancy import Principal
from app.kernel.timeline import LifeEvent, Subject
from app.people import names_of

_MOST = 200


def life_events(session: Session, principal: Principal, subject: Subject) -> list[LifeEvent]:
    """Those of the phone itself that the caller may see, in no order; a whole centre's are not about it."""
    if subject.kind != "handset":
        return []
    rows = store.of_phone(session, principal, subject.id, _MOST)
    names = names_of(
        session, {actor for row in rows for actor in (row.requested_by, row.decided_by) if actor}
    )
    return [_event(row, names) for row in rows]


def _event(row: ComplianceExemption, names: dict[str, str]) -> LifeEvent:
    about = f"（{row.subject}）" if row.subject else ""
    decided = f"，{names.get(row.decided_by, '')}决定" if row.decided_by else ""
    return LifeEvent(
        at=row.valid_from or row.requested_at,
        until=(row.ended_at or row.valid_to) if row.valid_from else None,
        title=f"例外：{title_of(row.code)}，{WORDS[State(row.state)]}",
        detail=f"{about}{row.reason}；到 {last_day(row.valid_to)}，{names.get(row.requested_by, '')}申请{decided}",
        link=f"/compliance/exemptions/{row.id}",
        room="compliance",
    )
