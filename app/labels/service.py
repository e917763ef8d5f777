"""The labels that hold in a service centre, and how staff add one."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from typing import Any, Literal

from sqlalchemy.orm import Session

from app.kernel.tenancy import Principal
from app.kernel.texts import required, wrong
from app.labels.rules import MAX_LABEL, is_package
from app.policy import LayerInput, Policy, PolicyFiles, effective, effective_many, layer_versions, put_layer

SUBJECT = "app_labels"
_LIST = "allowlist"
Scope = Literal["district", "centre"]


def labels_for(session: Session, files: PolicyFiles, centre_id: uuid.UUID | None) -> Mapping[str, str]:
    """Package → label as they hold in a centre; without one the company's own. What people named stands above what the
    rule calls a work app, that above the delivered names, and these above the other names of the allow-list. Raise
    `NotFound` for no centre.
    """
    delivered = files.latest(SUBJECT)
    if centre_id is None:
        return _merged(delivered, files.latest(_LIST), delivered)
    named, listed = (effective(session, files, subject, centre_id) for subject in (SUBJECT, _LIST))
    return _merged(named, listed, delivered)


def labels_among(
    session: Session, files: PolicyFiles, centre_ids: Collection[uuid.UUID]
) -> Mapping[str, str]:
    """For lists over several centres, where one package can have one name only: the company's label, or where it has
    none, that of the first of these centres that has one. Of a single centre, its own.
    """
    if len(centre_ids) == 1:
        return labels_for(session, files, next(iter(centre_ids)))
    found = dict(labels_for(session, files, None))
    named = effective_many(session, files, SUBJECT, centre_ids)
    listed = effective_many(session, files, _LIST, centre_ids)
    for centre_id in sorted(named):
        for package, label in _merged(named[centre_id], listed[centre_id], files.latest(SUBJECT)).items():
            found.setdefault(package, label)
    return found


def _merged(named: Policy, listed: Policy, delivered: Policy) -> dict[str, str]:
    body, usual, labels = listed.body, delivered.body["labels"], named.body["labels"]
    work = {app["package"]: label for label, app in body["apps"].items() if app.get("package")}
    own = {package: label for package, label in labels.items() if usual.get(package) != label}
    return {**body["forbidden"], **body["allowed"], **labels, **work, **own}


def name_app(
    session: Session,
    principal: Principal,
    files: PolicyFiles,
    package: str,
    label: str,
    *,
    scope: Scope,
    scope_id: uuid.UUID,
    reason: str,
    now: dt.datetime,
) -> str:
    """Write a label into the layer of a centre or a district, over what stands there; returns it as it was written.

    Raise `Invalid` for a field that does not fit, `Stale` when somebody wrote the layer meanwhile, `NotFound` or
    `Forbidden` as `put_layer`.
    """
    if not is_package(package):
        raise wrong("package", "这不是应用的包名 / no package name")
    text = required(label, "label", "请填写应用的名称 / a label is needed", MAX_LABEL)
    why = required(reason, "reason", "请填写依据，例如从哪部手机上看到 / a reason is needed")
    versions = layer_versions(session, principal, files, SUBJECT, scope, scope_id)
    body: dict[str, Any] = dict(versions[0].body) if versions else {}
    body["labels"] = {**body.get("labels", {}), package: text}
    put_layer(
        session,
        principal,
        files,
        LayerInput(SUBJECT, scope, scope_id, body, why),
        expected_version=versions[0].version if versions else 0,
        now=now,
    )
    return text
