"""Each thing that keeps an app from being removed, brought about alone in a transaction that is undone afterwards."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.compliance.exemption_model import ComplianceExemption
from app.compliance.model import ComplianceVerdict
from app.escrow.lock_model import LockOrder
from app.escrow.model import Secret
from app.hardware import order_disposal
from app.kernel.ids import new_id
from app.kernel.tenancy import SYSTEM
from app.policy import LayerInput, put_layer
from app.readings.model import PhoneKnown, PhoneState
from app.registry import Handset, hold, release
from app.remedy.hook import tools
from app.remedy.model import RemedyCase, RemedyStep
from app.transfer import Tools as TransferTools
from app.transfer import Wanted, open_transfer
from app.transfer.model import Transfer
from app.wipe import Tools as WipeTools
from app.wipe import open_wipe
from tests.app.remedy.remedy_world import BAD, World


def held(world: World, session: Session) -> None:
    hold(
        session, cause="test:1", subjects=[("handset", world.phone)], centre_id=world.org.centre, reason="盘点",
        link="/x", by="u", now=world.clock.now(),
    )  # fmt: skip


def lost(world: World, session: Session) -> None:
    _disposed(world, session, "lost")


def wiped(world: World, session: Session) -> None:
    here = world.app.extensions["butler"]
    _disposed(world, session, "contract_end")
    made = WipeTools(here.policies, here.blobs, here.keys, None)
    open_wipe(session, world.who("it"), made, world.phone, now=world.clock.now())


def _disposed(world: World, session: Session, cause: str) -> None:
    order_disposal(
        session,
        world.who("lead"),
        world.phone,
        cause=cause,
        reason="x",
        source="test:1",
        now=world.clock.now(),
    )


def retired(world: World, session: Session) -> None:
    session.get_one(Handset, world.phone).retired_at = world.clock.now()


def moved(world: World, session: Session) -> None:
    session.get_one(Handset, world.phone).centre_id = world.org.other_centre


def exempt(world: World, session: Session) -> None:
    """Approved, and no verdict has seen it yet."""
    now = world.clock.now()
    session.add(
        ComplianceExemption(
            id=new_id(), centre_id=world.org.centre, handset_id=world.phone, code="app_forbidden", subject=BAD,
            reason="演示", state="approved", valid_from=now, valid_to=now + dt.timedelta(days=3), requested_by="a",
            requested_at=now, decided_by="b", decided_at=now,
        )
    )  # fmt: skip


def other_phone(_: World, session: Session) -> None:
    session.execute(update(PhoneState).values(refused_identity="f" * 32))


def _verdict(status: str) -> Callable[[World, Session], None]:
    def change(world: World, session: Session) -> None:
        row = session.get_one(ComplianceVerdict, world.phone)
        row.findings = row.findings.replace('"status":"fail"', f'"status":"{status}"')

    return change


def no_finding(world: World, session: Session) -> None:
    session.get_one(ComplianceVerdict, world.phone).findings = "[]"


def _layer(subject: str, body: dict[str, Any]) -> Callable[[World, Session], None]:
    def put(world: World, session: Session) -> None:
        entry = LayerInput(subject, "centre", world.org.centre, body, "test")
        seen = world.versions.get(subject, 0)
        put_layer(session, SYSTEM, tools().policies, entry, expected_version=seen, now=world.clock.now())

    return put


def old_list_of_apps(world: World, session: Session) -> None:
    day_before = world.clock.now() - dt.timedelta(hours=25)
    tag = ["0" * 32, int(day_before.timestamp() * 1_000_000)]
    session.execute(update(PhoneState).values(tags=json.dumps({"packages": tag, "identity": tag})))


def identity_older_than_the_apps(world: World, session: Session) -> None:
    """A reading that told its apps and not who it is."""
    state = session.get_one(PhoneState, world.phone)
    tags = json.loads(state.tags)
    tags["identity"][1] -= 1
    state.tags = json.dumps(tags)


def known_by_another_id(world: World, session: Session) -> None:
    session.execute(update(PhoneKnown).values(android_id="0" * 16))


def met_as_another_before(world: World, session: Session) -> None:
    """By a new android_id since less than a day."""
    since = world.clock.now() - dt.timedelta(hours=23)
    session.execute(update(PhoneKnown).values(since=since, replaced=True))


def shared_serial(world: World, session: Session) -> None:
    session.get_one(Handset, world.phone).serial = "0123456789ABCDEF"


def _sent(number: int, phone: str) -> Callable[[World, Session], None]:
    def add(world: World, session: Session) -> None:
        case = session.query(RemedyCase).filter_by(subject=BAD).one()
        session.add_all(
            RemedyStep(
                id=new_id(), centre_id=world.org.centre, case_id=case.id, handset_id=world.phones[phone],
                at=world.clock.now(), step=step, by="u", words="", details={},
            )
            for _ in range(number)
            for step in ("order", "send")
        )  # fmt: skip

    return add


def lock_tried(world: World, session: Session) -> None:
    now = world.clock.now()
    secret = Secret(
        id=new_id(), centre_id=world.org.centre, handset_id=world.phone, kind="screen_lock", versions=1
    )
    session.add(secret)
    session.flush()
    session.add(
        LockOrder(
            id=new_id(), centre_id=world.org.centre, secret_id=secret.id, handset_id=world.phone, what="check",
            version=1, state="sent", asked_by="u", asked_at=now, command_id=new_id(),
        )
    )  # fmt: skip


def moving(world: World, session: Session) -> None:
    here = world.app.extensions["butler"]
    made = TransferTools(here.policies, here.blobs, here.keys)
    wanted = Wanted(old_id=world.phone, new_id=None, reason="换机")
    row = open_transfer(session, world.who("it"), made, wanted, world.clock.now())
    session.execute(update(Transfer).where(Transfer.id == row.id).values(state="running"))
    release(session, f"transfer:{row.id}", world.clock.now())


RAILS: list[tuple[str, Callable[[World, Session], None]]] = [
    ("held", held),
    ("lost", lost),
    ("wipe_open", wiped),
    ("left", retired),
    ("left", moved),
    ("exempt", exempt),
    ("identity_contradicted", other_phone),
    ("not_met", identity_older_than_the_apps),
    ("not_met", known_by_another_id),
    ("too_new", met_as_another_before),
    ("placeholder_serial", shared_serial),
    ("not_failing", _verdict("unknown")),
    ("not_failing", _verdict("grace")),
    ("not_failing", _verdict("exempt")),
    ("not_failing", no_finding),
    ("stale_verdict", _layer("allowlist", {"allowed": {"com.example.fine": "好的"}})),
    ("protected_by_policy", _layer("remedy", {"never": [BAD]})),
    ("not_removable", _layer("remedy", {"removable": ["app_sideloaded"]})),
    ("stale_reading", old_list_of_apps),
    ("rate_centre", _sent(30, "S2")),
    ("rate_phone", _sent(5, "S1")),
    ("lock_order", lock_tried),
    ("transfer_open", moving),
]
