"""The demo's contracts: one that ends soon, its assessment waiting, one over, one far away; a number without."""

from __future__ import annotations

import datetime as dt
import io
import uuid
from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from app.contracts import ITEMS, Signing, Terms, enter, fill, open_assessment, submit
from app.kernel.blobs import BlobStore
from app.kernel.tenancy import Principal
from app.people import names_of, principal_of, users_with
from app.policy import PolicyFiles
from app.registry import kit_of

_SHANGHAI = dt.timezone(dt.timedelta(hours=8))
# Days until each contract's last day, by the place of its kit; the kits after these have none.
_ENDS = (25, -12, 400)
_TWO_YEARS = dt.timedelta(days=730)
_PLANS = (("全家享 129", 12_900), ("畅享 99", 9_900), ("尊享 169", 16_900))
_FOUND: Mapping[str, tuple[str, str]] = {
    "battery": ("poor", "充满后只能用大半天，巡检途中会关机"),
    "storage": ("fair", "微信占用较多"),
    "system": ("poor", "两年没有安全更新"),
    "performance": ("fair", ""),
    "faults": ("unknown", "摄像头没有试"),
}


def tell_contracts(
    session: Session,
    centre: uuid.UUID,
    kits: Sequence[tuple[uuid.UUID, uuid.UUID]],
    *,
    company: str,
    policies: PolicyFiles,
    blobs: BlobStore,
    now: dt.datetime,
) -> int:
    """Enter them by the demo's own users; how many contracts there are. `kits`: handset and post of each place."""
    operations, lead = (_one_with(session, centre, role, now) for role in ("operations", "lead"))
    today = now.astimezone(_SHANGHAI).date()
    made = []
    for (_, post), days, (plan, monthly) in zip(kits, _ENDS, _PLANS, strict=False):
        ends_on = today + dt.timedelta(days=days)
        terms = Terms(
            carrier="中国移动", plan_type="phone_for_plan", plan_name=plan, monthly_fen=monthly,
            handset_budget_fen=139_900, starts_on=ends_on - _TWO_YEARS, ends_on=ends_on, registered_name=company,
        )  # fmt: skip
        numbers = sorted(kit_of(session, post, now).number_ids)
        if numbers:
            made.append(enter(session, operations, numbers[0], terms, now=now))
    if made:
        _assess(session, lead, made[0].id, policies, blobs, now)
    return len(made)


def _assess(
    session: Session,
    lead: Principal,
    contract_id: uuid.UUID,
    policies: PolicyFiles,
    blobs: BlobStore,
    now: dt.datetime,
) -> None:
    """The lead has signed; operations have yet to confirm."""
    row = open_assessment(session, lead, contract_id, policies=policies, now=now)
    items = {key: {"code": _FOUND[key][0], "words": _FOUND[key][1]} for key in ITEMS}
    row = fill(
        session, lead, row.id, items=items, conclusion="replace", reason="续航和系统更新都不能满足工作",
        version=row.version, now=now,
    )  # fmt: skip
    name = names_of(session, [lead.user]).get(lead.user, lead.user)
    signing = Signing(name, "演示数据", _scrawl())
    submit(session, lead, row.id, signing, version=row.version, blobs=blobs, now=now)


def _scrawl() -> bytes:
    from PIL import Image, ImageDraw

    picture = Image.new("L", (240, 90), 255)
    ImageDraw.Draw(picture).line(
        [(20, 60), (60, 20), (80, 70), (120, 30), (150, 65), (220, 40)], fill=0, width=4
    )
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _one_with(session: Session, centre: uuid.UUID, role: str, now: dt.datetime) -> Principal:
    return principal_of(session, users_with(session, centre, role, at=now)[0], now)
