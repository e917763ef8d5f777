"""This room's part of a phone's life: what was ordered and removed, and what else was put right."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.kernel.tenancy import Principal
from app.kernel.timeline import LifeEvent, Subject
from app.remedy import store
from app.remedy.model import RemedyCase
from app.remedy.states import STATE_WORDS
from app.remedy.tools import VIEWERS, case_path
from app.remedy.words import STEPS, code_words

ROOM = "remedy"
_MOST = 200
_TOLD = frozenset({"order", "cancel", "send", "verify", "stop", "restore", "bring_back", "dismiss", "return"})


def life_events(session: Session, principal: Principal, subject: Subject) -> list[LifeEvent]:
    """Of a phone; nothing of other subjects."""
    if subject.kind != "handset" or not principal.has_any(*VIEWERS):
        return []
    query = store.query(principal, handset_id=subject.id).order_by(RemedyCase.id.desc())
    cases = session.scalars(query.limit(_MOST)).all()
    acts = store.steps_among(session, [case.id for case in cases], _TOLD)
    named = {case.id: case for case in cases}
    found = [
        LifeEvent(
            case.opened_at, f"整改：{code_words(case.code)}", f"{case.words}；{STATE_WORDS[case.state][1]}",
            case_path(case.id), ROOM, case.ended_at,
        )
        for case in cases
    ]  # fmt: skip
    found += [
        LifeEvent(
            act.at, f"整改：{STEPS[act.step]} {named[act.case_id].subject}".strip(), act.words, case_path(act.case_id),
            ROOM,
        )
        for act in acts
    ]  # fmt: skip
    return sorted(found, key=lambda event: event.at)
