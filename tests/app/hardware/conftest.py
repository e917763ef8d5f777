"""Post P1 with a phone, a number and an account, held by Zhang for 90 days; Li holds nothing."""

from __future__ import annotations

import datetime as dt
import io
from types import SimpleNamespace

import pytest
from PIL import Image

from app.hardware.tools import Tools
from app.kernel.db import begin_write, db
from app.kernel.tenancy import Principal
from app.registry import KitAssignment, Number, PostHolding, WeChatAccount
from app.registry.model import Handset

DAY = dt.timedelta(days=1)


def person(role, centre, user, employee=None):
    return Principal(user, frozenset({role}), frozenset({centre}), employee)


@pytest.fixture
def one_database(sqlite_url):
    """One kind is enough for what happens in one transaction after the other; races are in `test_races`."""
    return sqlite_url


@pytest.fixture
def photo():
    out = io.BytesIO()
    Image.new("RGB", (4, 3), "#a33").save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def tools(app):
    here = app.extensions["butler"]
    return Tools(here.policies, here.blobs, here.keys)


@pytest.fixture
def place(app, org, clock):
    """Ids of all that there is, and the people who act."""
    now = clock.now()
    stamp = {"created_at": now, "updated_at": now}
    since = now - 90 * DAY
    with app.app_context():
        session = begin_write(db.session())

        def add(row):
            session.add(row)
            session.flush()
            return row.id

        phone = add(
            Handset(
                centre_id=org.centre, asset_tag="GJ-1", serial="SERIAL-OLD", brand="Redmi", model="12C",
                specification={"内存": "8GB", "存储": "128GB"}, price_fen=90_000, **stamp,
            )
        )  # fmt: skip
        number = add(Number(centre_id=org.centre, e164="+8613800000001", **stamp))
        account = add(
            WeChatAccount(
                centre_id=org.centre, district_id=org.district, nickname="**小新", number_id=number, **stamp
            )
        )
        for subject in ({"handset_id": phone}, {"number_id": number}, {"wechat_account_id": account}):
            add(KitAssignment(centre_id=org.centre, post_id=org.post, valid_from=since, **subject, **stamp))
        add(
            PostHolding(
                centre_id=org.centre, post_id=org.post, employee_id=org.zhang, valid_from=since, **stamp
            )
        )
        session.commit()
        db.session.remove()
    centre = org.centre
    return SimpleNamespace(
        org=org, phone=phone, number=number, account=account, now=now,
        lead=person("lead", centre, "u-lead"), second=person("lead", centre, "u-second"),
        operations=person("operations", centre, "u-ops"), it=person("it", centre, "u-it"),
        finance=person("finance", centre, "u-finance"), auditor=person("auditor", centre, "u-auditor"),
        zhang=person("butler", centre, "u-zhang", org.zhang), li=person("butler", centre, "u-li", org.li),
        foreign=person("lead", org.other_centre, "u-foreign"),
    )  # fmt: skip
