"""Drafts of a layer: begun, changed, moved over what others wrote, saved or dropped. Nothing holds until saved."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy.orm import Session

from app.allowlist import store
from app.allowlist.comparing import Rules, rules_of
from app.allowlist.edits import Change, moved_over
from app.allowlist.faults import in_chinese
from app.allowlist.layering import SUBJECT, Place, layer_now, require_writer
from app.allowlist.model import AllowlistDraft
from app.allowlist.states import Event, State, advance
from app.kernel.errors import Conflict, FieldError, Invalid, NotFound, Stale
from app.kernel.moving import change_if
from app.kernel.tenancy import Principal
from app.kernel.texts import required
from app.policy import LayerInput, PolicyError, PolicyFiles, PolicyLayer, Proposal, layer_versions, put_layer

KEPT_FOR = dt.timedelta(days=7)
MAX_BYTES = 400_000
_OPEN = (State.COUNTING.value, State.COUNTED.value)
_RACE = "草稿刚刚改过，请刷新 / the draft was changed meanwhile"


def place_of(draft: AllowlistDraft) -> Place:
    return Place("district" if draft.scope == "district" else "centre", draft.scope_id)


def is_open(draft: AllowlistDraft) -> bool:
    """Neither saved nor dropped."""
    return draft.state in _OPEN


def proposal_of(place: Place, body: Mapping[str, Any]) -> Proposal:
    return Proposal(SUBJECT, place.scope, place.scope_id, body)


def checked(session: Session, files: PolicyFiles, place: Place, body: Mapping[str, Any]) -> Rules:
    """Raise `Invalid` with all that speaks against such a layer, in Chinese; codes as the schema tells it."""
    if len(orjson.dumps(body)) > MAX_BYTES:
        raise Invalid("内容过多，请减少 / too large", code="too_large")
    try:
        return rules_of(session, files, proposal_of(place, body))
    except PolicyError as exc:
        raise Invalid(
            "不符合制度的格式 / it would not be valid",
            fields=[FieldError("body", problem, in_chinese(problem)) for problem in exc.problems],
        ) from exc


def begin(
    session: Session,
    principal: Principal,
    files: PolicyFiles,
    place: Place,
    body: Mapping[str, Any],
    *,
    origin: str,
    base_version: int,
    now: dt.datetime,
) -> AllowlistDraft:
    """Keep a draft; `base_version` is that of the layer which its author saw.

    Raise `Invalid` for what would not fit the schema or changes nothing, `Forbidden`, `NotFound`.
    """
    require_writer(principal, place)
    checked(session, files, place, body)
    current = layer_now(session, principal, files, place)
    if base_version == current.version and dict(current.body) == dict(body):
        raise Invalid("内容和现在的一样，没有要改的 / nothing would change", code="unchanged")
    draft = AllowlistDraft(
        centre_id=place.scope_id if place.scope == "centre" else None, scope=place.scope, scope_id=place.scope_id,
        base_version=base_version, body=dict(body), origin=origin, state=State.COUNTING.value, moves={},
        created_by=principal.user, created_at=now,
    )  # fmt: skip
    session.add(draft)
    session.flush()
    return draft


def find(
    session: Session, principal: Principal, draft_id: uuid.UUID, *, lock: bool = False
) -> AllowlistDraft:
    """Raise `NotFound` for one of another person, or one that is kept no more."""
    draft = store.find(session, principal.user, draft_id, lock=lock)
    if draft is None:
        raise NotFound("没有这份草稿，可能已过期 / no such draft")
    require_writer(principal, place_of(draft))
    return draft


def open_drafts(session: Session, principal: Principal) -> list[AllowlistDraft]:
    """What he began and neither saved nor dropped, the newest first."""
    return store.open_drafts(session, principal.user, _OPEN)


def change(
    session: Session,
    principal: Principal,
    files: PolicyFiles,
    draft_id: uuid.UUID,
    body: Mapping[str, Any],
    *,
    base_version: int | None = None,
) -> AllowlistDraft:
    """Another body in its place; all phones are judged anew. Raise `Conflict` for one that is done with."""
    draft = find(session, principal, draft_id, lock=True)
    state = advance(State(draft.state), Event.CHANGE)
    checked(session, files, place_of(draft), body)
    base = draft.base_version if base_version is None else base_version
    _restart(session, draft, state, body=dict(body), base_version=base)
    return draft


def recount(session: Session, principal: Principal, draft_id: uuid.UUID) -> AllowlistDraft:
    """Judge all phones anew: the rules around the draft, or what is known of the phones, have changed."""
    draft = find(session, principal, draft_id, lock=True)
    _restart(session, draft, advance(State(draft.state), Event.CHANGE))
    return draft


def _restart(session: Session, draft: AllowlistDraft, state: State, **values: Any) -> None:
    store.forget_counts(session, draft.id)
    change_if(
        session, draft, ("version", "state"), Conflict(_RACE), state=state.value, version=draft.version + 1,
        rules_sha256="", total=0, counted=0, after_id=None, never_read=0, moves={}, counted_at=None, **values,
    )  # fmt: skip


def rebased(
    session: Session, principal: Principal, files: PolicyFiles, draft: AllowlistDraft
) -> tuple[int, dict[str, Any], list[Change]]:
    """The newest version of the layer, the draft's changes put over it, and those that meet changes of others."""
    place = place_of(draft)
    versions = layer_versions(session, principal, files, SUBJECT, place.scope, place.scope_id)
    base = next((row.body for row in versions if row.version == draft.base_version), {})
    current = layer_now(session, principal, files, place)
    body, clashes = moved_over(files.renewed(SUBJECT, base), draft.body, current.body)
    return current.version, body, clashes


def save(
    session: Session,
    principal: Principal,
    files: PolicyFiles,
    draft_id: uuid.UUID,
    *,
    version: int,
    reason: str,
    now: dt.datetime,
) -> PolicyLayer:
    """Write the layer. Raise `Stale` when the draft, the layer or the rules around it are not those of the preview,
    `Invalid` without a reason, `Conflict` before all phones are judged.
    """
    draft = find(session, principal, draft_id, lock=True)
    why = required(reason, "reason", "请写明修改的原因 / a reason is needed")
    if draft.version != version:
        raise Stale(_RACE)
    state = advance(State(draft.state), Event.SAVE)
    place = place_of(draft)
    current = layer_now(session, principal, files, place)
    if current.version == draft.base_version:
        rules = checked(session, files, place, draft.body)
        if rules.sha256 != draft.rules_sha256:
            raise Stale(
                "上级的规定在预览之后变了，请重新计算影响 / the rules around it changed: count again",
                code="rules_changed",
            )
    layer = LayerInput(SUBJECT, place.scope, place.scope_id, draft.body, why)
    row = put_layer(session, principal, files, layer, expected_version=draft.base_version, now=now)
    change_if(
        session, draft, ("version", "state"), Conflict(_RACE), state=state.value, version=draft.version + 1,
        saved_version=row.version,
    )  # fmt: skip
    return row


def drop(session: Session, principal: Principal, draft_id: uuid.UUID) -> None:
    draft = find(session, principal, draft_id, lock=True)
    state = advance(State(draft.state), Event.DROP)
    change_if(
        session, draft, ("version", "state"), Conflict(_RACE), state=state.value, version=draft.version + 1
    )


def forget_old(session: Session, now: dt.datetime) -> int:
    """Drop drafts that were begun long ago; what was saved of them stands as versions of the layer."""
    return store.forget_drafts(session, now - KEPT_FOR)
