"""A number at the first post with an old phone, a new phone in store, and the people who deal with them."""

from __future__ import annotations

import datetime as dt
import io
import uuid
from types import SimpleNamespace

import pytest
from PIL import Image

from app.contracts import contract_service, drafting_service
from app.contracts.assessment_service import Signing, confirm, submit
from app.contracts.rules import ITEMS, Terms
from app.kernel.db import begin_write, db
from app.kernel.tenancy import Principal
from app.people.model import RoleGrant, User
from app.registry import KitAssignment, PostHolding
from app.registry.model import Handset, Number

DAY = dt.timedelta(days=1)


@pytest.fixture
def kit(app, org, clock, request):
    """Ids of all that there is; everything so for 90 days. Written through the test's session, where it has one."""
    shared = request.getfixturevalue("session") if "session" in request.fixturenames else None
    now = clock.now()
    stamp = {"created_at": now, "updated_at": now}
    since = now - 90 * DAY
    with app.app_context():
        session = shared or begin_write(db.session())

        def add(row):
            session.add(row)
            session.flush()
            return row.id

        def number(e164, centre, **values):
            known = {"real_name": "示例物业", "plan_type": "phone_for_plan", **values}
            return add(Number(centre_id=centre, e164=e164, carrier="中国移动", **known, **stamp))

        def phone(tag, **values):
            known = {"brand": "Redmi", "model": "12C", "specification": {"内存": "4GB"}, **values}
            return add(Handset(centre_id=org.centre, asset_tag=tag, serial=f"S-{tag}", **known, **stamp))

        here = number("+8613800138000", org.centre)
        spare = number("+8613800138001", org.centre)
        foreign = number("+8613800138009", org.other_centre)
        old, new = phone("GJ-1"), phone("GJ-2", model="13C", specification={"内存": "8GB"})
        for subject in ({"number_id": here}, {"handset_id": old}):
            add(KitAssignment(centre_id=org.centre, post_id=org.post, valid_from=since, **subject, **stamp))
        add(
            PostHolding(
                centre_id=org.centre, post_id=org.post, employee_id=org.zhang, valid_from=since, **stamp
            )
        )

        def person(name, role):
            user = add(User(login=f"{role}-{uuid.uuid4().hex[:6]}", name=name, **stamp))
            session.add(RoleGrant(user_id=user, role=role, centre_id=org.centre, valid_from=since))
            session.flush()
            rights = frozenset({(role, org.centre)})
            return Principal(str(user), frozenset({role}), frozenset({org.centre}), None, rights)

        who = {
            "lead": person("吴主管", "lead"), "ops": person("林运营", "operations"),
            "ops2": person("何运营", "operations"),
            "finance": person("徐财务", "finance"),
        }  # fmt: skip
        session.commit()
        if shared is None:
            db.session.remove()
        else:
            begin_write(shared)
    return SimpleNamespace(org=org, number=here, spare=spare, foreign=foreign, old=old, new=new, **who)


def terms(start="2025-01-01", end="2026-12-31", **changes):
    values = {
        "carrier": "中国移动", "plan_type": "phone_for_plan", "plan_name": "全家享 129", "monthly_fen": 12_900,
        "handset_budget_fen": 129_900, "registered_name": "示例物业", **changes,
    }  # fmt: skip
    return Terms(starts_on=dt.date.fromisoformat(start), ends_on=dt.date.fromisoformat(end), **values)


@pytest.fixture
def contract(session, kit, clock):
    """The number's contract, which ends on the last day of this year."""
    return contract_service.enter(session, kit.ops, kit.number, terms(), now=clock.now())


@pytest.fixture(scope="session")
def ink():
    out = io.BytesIO()
    Image.new("L", (40, 20), 255).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def here(app):
    return app.extensions["butler"]


@pytest.fixture
def sign(session, kit, clock, here, ink):
    """`sign(row)`: the lead signs; `sign(row, by=kit.ops)`: operations confirm."""

    def act(row, by=None):
        given = Signing("某人", "本人登录并再次输入密码", ink)
        common = {"version": row.version, "blobs": here.blobs, "now": clock.now()}
        if by is None:
            return submit(session, kit.lead, row.id, given, **common)
        return confirm(session, by, row.id, given, keys=here.keys, **common)

    return act


@pytest.fixture
def assess(session, kit, clock, here, contract, sign):
    """`assess("replace")`: an assessment that was filled in; signed and confirmed unless told otherwise."""

    def made(conclusion="replace", *, signed=True, confirmed=True):
        row = drafting_service.open_assessment(
            session, kit.lead, contract.id, policies=here.policies, now=clock.now()
        )
        items = {key: {"code": "good", "words": ""} for key in ITEMS}
        row = drafting_service.fill(
            session, kit.lead, row.id, items={**items, "battery": {"code": "poor", "words": "半天没电"}},
            conclusion=conclusion, reason="用了三年", version=row.version, now=clock.now(),
        )  # fmt: skip
        if signed:
            sign(row)
        if signed and confirmed:
            sign(row, by=kit.ops)
        return row

    return made
