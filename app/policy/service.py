"""The policy that holds in a service centre: the company's file, under the district's layer, under the centre's."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.kernel.errors import FieldError, Forbidden, Invalid, NotFound, Stale, Unavailable
from app.kernel.ids import new_id
from app.kernel.tenancy import Principal
from app.policy import store
from app.policy.files import Policy, PolicyError, PolicyFiles
from app.policy.model import PolicyLayer
from app.policy.store import LayerKey

Scope = Literal["district", "centre"]


def effective(session: Session, files: PolicyFiles, subject: str, centre_id: uuid.UUID) -> Policy:
    """The policy of one centre. Raise `NotFound` for an unknown subject or centre; else as `effective_many`."""
    found = effective_many(session, files, subject, [centre_id])
    if centre_id not in found:
        raise NotFound("没有这个服务中心 / no such service centre")
    return found[centre_id]


def policy_for(
    session: Session, principal: Principal, files: PolicyFiles, subject: str, centre_id: uuid.UUID | None
) -> Policy:
    """A centre's policy, or without a centre the company's own. Raise `NotFound` for what the caller cannot see."""
    _require_subject(files, subject)
    if centre_id is None:
        return files.latest(subject)
    if not principal.sees(centre_id):
        raise NotFound("没有这个服务中心 / no such service centre")
    return effective(session, files, subject, centre_id)


def effective_many(
    session: Session, files: PolicyFiles, subject: str, centre_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, Policy]:
    """The policies of the centres that there are, in two small queries: bodies are read once a version, then kept.

    Raise `Unavailable` when a stored layer no longer fits the policy file: a rule half applied would rule wrongly.
    """
    _require_subject(files, subject)
    if not centre_ids:
        return {}
    districts = store.districts_of(session, centre_ids)
    keys = store.newest_keys(session, subject, {*districts, *districts.values()})
    return {
        centre: _stacked(session, files, subject, _over(keys, centre, district))
        for centre, district in districts.items()
    }


def _over(
    keys: Mapping[tuple[str, uuid.UUID], LayerKey], centre: uuid.UUID, district: uuid.UUID
) -> list[LayerKey]:
    found = (keys.get(("district", district)), keys.get(("centre", centre)))
    return [key for key in found if key is not None]


def _stacked(session: Session, files: PolicyFiles, subject: str, over: list[LayerKey]) -> Policy:
    ids = tuple(key.id for key in over)
    kept = files.kept(subject, ids)
    if kept is not None:
        return kept
    bodies = store.bodies(session, ids)
    try:
        return files.overlay(subject, [(layer_id, bodies[layer_id]) for layer_id in ids])
    except PolicyError as exc:
        raise Unavailable(f"policy {subject}: {exc}", code="policy_invalid") from exc


@dataclass(frozen=True)
class LayerInput:
    """`body` is a JSON merge patch (RFC 7396) over what lies below; an empty one lifts the layer."""

    subject: str
    scope: Scope
    scope_id: uuid.UUID
    body: Mapping[str, Any]
    reason: str


def put_layer(
    session: Session,
    principal: Principal,
    files: PolicyFiles,
    layer: LayerInput,
    *,
    expected_version: int,
    now: dt.datetime,
) -> PolicyLayer:
    """Write the next version of a scope's layer; `expected_version` is the one that the caller saw, 0: none.

    Raise `Invalid` with all that the subject's schema says against any policy that would come of it, `Stale` when
    somebody wrote in the meantime, `NotFound` for a foreign centre, `Forbidden` for a district unless the caller has
    all centres.
    """
    _require_subject(files, layer.subject)
    _require_scope(session, principal, layer.scope, layer.scope_id)
    before = store.newest_keys(session, layer.subject, [layer.scope_id]).get((layer.scope, layer.scope_id))
    if expected_version != (before.version if before else 0):
        raise Stale("制度参数已被他人修改，请重新读取 / the layer was changed meanwhile: read it again")
    problems = _problems_with(session, files, layer)
    if problems:
        raise Invalid(
            "参数不符合制度的格式 / the policy would not be valid",
            fields=[FieldError("body", "policy", problem) for problem in problems],
        )
    row = {
        "id": new_id(),
        "subject": layer.subject,
        "scope": layer.scope,
        "scope_id": layer.scope_id,
        "version": expected_version + 1,
        "body": dict(layer.body),
        "reason": layer.reason,
        "created_by": principal.user,
        "created_at": now,
    }
    if not store.insert_version(session, row):
        raise Stale("制度参数已被他人修改，请重新读取 / the layer was changed meanwhile: read it again")
    record(session, _put_event(principal, layer, expected_version + 1, now))
    return session.get_one(PolicyLayer, row["id"])


def _put_event(principal: Principal, layer: LayerInput, version: int, now: dt.datetime) -> AuditEvent:
    return AuditEvent(
        at=now,
        actor=principal.user,
        action="policy.layer_put",
        object=f"policy:{layer.subject}:{layer.scope}:{layer.scope_id}",
        centre_id=layer.scope_id if layer.scope == "centre" else None,
        reason=layer.reason,
        details={"version": version, "body": dict(layer.body)},
    )


def layer_versions(
    session: Session,
    principal: Principal,
    files: PolicyFiles,
    subject: str,
    scope: Scope,
    scope_id: uuid.UUID,
) -> list[PolicyLayer]:
    """All versions of a scope's layer, newest first. Raise as `put_layer` for what the caller may not see."""
    _require_subject(files, subject)
    centres = [scope_id] if scope == "centre" else store.centres_of(session, scope_id)
    if principal.centres is not None and not any(principal.sees(centre) for centre in centres):
        raise NotFound("没有这个大区或服务中心 / no such district or service centre")
    return store.versions_of(session, subject, scope, scope_id)


def layer_problems(session: Session, files: PolicyFiles) -> list[str]:
    """What the schemas say against the policies that the stored layers make, one line each."""
    found: list[str] = []
    for subject, scope, scope_id in store.scopes_with_layers(session):
        where = f"{subject}, {scope} {scope_id}"
        if subject not in files.subjects:
            found.append(f"{where}: no such policy")
            continue
        stacks = _stacks(session, subject, scope, scope_id, None)
        found += [
            f"{where}: {problem}" for bodies in stacks for problem in files.problems_over(subject, bodies)
        ]
    return found


def _problems_with(session: Session, files: PolicyFiles, layer: LayerInput) -> list[str]:
    stacks = _stacks(session, layer.subject, layer.scope, layer.scope_id, layer.body)
    found = [problem for bodies in stacks for problem in files.problems_over(layer.subject, bodies)]
    return list(dict.fromkeys(found))


def _stacks(
    session: Session, subject: str, scope: str, scope_id: uuid.UUID, body: Mapping[str, Any] | None
) -> list[list[Mapping[str, Any]]]:
    """All stacks of layers that a scope's layer is part of, with `body` in its place where that is given.

    A district's layer must also fit under the layers that its centres have over it.
    """
    if scope == "district":
        district, centres = scope_id, store.centres_of(session, scope_id)
    else:
        centres = [scope_id]
        district = store.districts_of(session, centres).get(scope_id, scope_id)
    keys = store.newest_keys(session, subject, [district, *centres])
    known = store.bodies(session, [key.id for key in keys.values()])
    bodies: dict[tuple[str, uuid.UUID], Mapping[str, Any]] = {at: known[key.id] for at, key in keys.items()}
    if body is not None:
        bodies[scope, scope_id] = body
    base = [bodies["district", district]] if ("district", district) in bodies else []
    tops = [[*base, bodies["centre", c]] for c in centres if ("centre", c) in bodies]
    return [base, *tops] if scope == "district" else tops


def _require_subject(files: PolicyFiles, subject: str) -> None:
    if subject not in files.subjects:
        raise NotFound("没有这项制度 / no such policy")


def _require_scope(session: Session, principal: Principal, scope: Scope, scope_id: uuid.UUID) -> None:
    if not store.scope_exists(session, scope, scope_id) or (
        scope == "centre" and not principal.sees(scope_id)
    ):
        raise NotFound("没有这个大区或服务中心 / no such district or service centre")
    if scope == "district" and principal.centres is not None:
        raise Forbidden("大区的参数只能由全公司权限修改 / a district's layer needs rights in all centres")
