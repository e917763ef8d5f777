"""A phone that Zhang holds, read by a gateway; a list that names every work app; an open escrow; people who act."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from agent import wire
from app.audit import AuditRow
from app.commands import ACTIVE, Command, expire_commands, tell_ended
from app.compliance import rejudge
from app.escrow import keeping
from app.kernel.db import begin_write, db
from app.kernel.errors import DomainError
from app.kernel.tenancy import SYSTEM, Principal
from app.notify.model import Notice, NoticeCopy
from app.policy import LayerInput, put_layer
from app.registry import KitAssignment, PostHolding
from app.remedy import store
from app.remedy.hook import tools
from app.remedy.model import RemedyCase, RemedyStep
from app.remedy.ordering import order
from app.remedy.rails import Look, blockers
from app.remedy.timing import follow, sweep
from app.runtime import command_hooks
from app.tasks import Task
from tests.support.agents import FakeAgent, package, reading, with_sections
from tests.support.kept import Kept

WORLD = "world"
HOUR = dt.timedelta(hours=1)
BAD, ODD = "com.ss.android.ugc.aweme", "com.example.game"
NAMES = {
    label: {"package": f"com.work.a{i}"}
    for i, label in enumerate(["爱家微社区", "爱家金钥匙", "爱家项目看板", "助这儿", "易企秀", "水印相机"])
}
WORK = [package("com.tencent.mm"), *(package(app["package"]) for app in NAMES.values())]
CLEAN: dict[str, Any] = {
    "identity": {
        "serial": "S1", "model": "M1", "brand": "Xiaomi", "manufacturer": "Xiaomi", "android_release": "13", "sdk": 33,
        "fingerprint": "x/y", "security_patch": "2026-05-01", "android_id": "a1b2c3d4e5f60718",
        "imei": ["490154203237518"], "build_type": "user",
    },
    "accounts": [],
    "setup": {
        "device_provisioned": True, "user_setup_complete": True, "adb_wifi": False, "developer_options": True,
        "unknown_sources": [], "lock_screen": "set",
    },
    "storage": {"data_total_bytes": 64_000_000_000, "data_free_bytes": 32_000_000_000},
    "security": {
        "device_owner": {"set": False, "package": None}, "profile_owners": [], "verified_boot": "green",
        "bootloader_locked": True, "debuggable": False, "build_tags": "release-keys", "su": False,
        "selinux": "enforcing", "accessibility": [], "notification_listeners": [], "device_admins": [],
        "input_method": "com.sohu.inputmethod.sogou/.SogouIME",
        "roles": {"sms": [], "dialer": [], "home": [], "browser": [], "assistant": []},
    },
}  # fmt: skip
OWNER = [{"id": 0, "name": "机主", "running": True}]


@dataclass(frozen=True)
class Home:
    """Where states of the world are kept, so that they need not be come to again."""

    kept: Kept
    url: str
    var: Path

    def keep(self, name: Hashable, world: World) -> None:
        self.kept.keep(name, world.app, self.url, self.var, world)

    def jump(self, name: Hashable) -> bool:
        """To a state that was kept; False where there is none."""
        known = self.kept.has(name, self.url)
        if known:
            self.kept.bring_back(name, self.url, self.var)
        return known

    def untouched(self, world: World) -> bool:
        return self.kept.is_still(WORLD, world.app, self.url)


@dataclass
class World:
    app: Any
    clock: Any
    phones: Any
    gateway: FakeAgent
    org: Any
    home: Home
    versions: dict[str, int] = field(default_factory=dict)

    @property
    def phone(self) -> uuid.UUID:
        found: uuid.UUID = self.phones["S1"]
        return found

    def who(self, role: str, user: str = "", employee: uuid.UUID | None = None) -> Principal:
        rights = frozenset({(role, self.org.centre)})
        return Principal(
            user or f"u-{role}",
            frozenset({role}),
            frozenset({self.org.centre}),
            employee=employee,
            rights=rights,
        )

    @contextmanager
    def writing(self) -> Iterator[Session]:
        with self.app.app_context():
            session = begin_write(db.session())
            try:
                yield session
                session.commit()
            finally:
                session.rollback()
                db.session.remove()

    def layer(self, subject: str, body: dict[str, Any]) -> None:
        """The centre's layer of a policy, whole."""
        before = self.versions.get(subject, 0)
        with self.writing() as session:
            entry = LayerInput(subject, "centre", self.org.centre, body, "test")
            put_layer(session, SYSTEM, tools().policies, entry, expected_version=before, now=self.clock.now())
        self.versions[subject] = before + 1

    def read(
        self,
        *more: dict[str, Any],
        serial: str = "S1",
        users: Any = None,
        unread: Any = (),
        packages: bool = True,
        identity: bool = True,
        **told: Any,
    ) -> list[wire.Command]:
        """A fresh reading by the gateway: the work apps and `more`; the commands that it is given.
        `told`: what the phone tells otherwise of itself.
        """
        sections: dict[str, Any] = {"users": users or OWNER, **CLEAN}
        if serial != "S1":
            sections["identity"] = CLEAN["identity"] | {
                "serial": serial,
                "imei": [],
                "android_id": f"id-{serial}",
            }
        sections["identity"] = sections["identity"] | told
        if not identity:
            del sections["identity"]
        if packages:
            sections["packages"] = [*WORK, *more]
        entry = with_sections(reading(serial, age_s=0.0), **sections) | {"unread": list(unread)}
        answer = self.gateway.checkin(readings=[entry])
        assert answer.status_code == 200, answer.text
        assert answer.get_json()["rejected"] == []
        return self.gateway.commands(answer)

    def run(self, hours: float = 0) -> None:
        """Time passes; the queue's and this room's jobs run."""
        self.clock.move(hours * 3600)
        with self.writing() as session:
            now = self.clock.now()
            expire_commands(session, now, lambda c: tell_ended(c, command_hooks(), session, now))
        with self.writing() as session:
            rejudge(session, tools().policies, self.clock.now())
        for job in (follow, sweep):
            with self.writing() as session:
                job(session, tools(), self.clock.now())

    def find(self, *more: dict[str, Any], **changes: Any) -> None:
        """Read with these apps, and take what follows."""
        self.read(*more, **changes)
        self.run()

    def all(self) -> list[RemedyCase]:
        with self.app.app_context():
            query = select(RemedyCase).where(RemedyCase.handset_id == self.phone)
            found = list(db.session().scalars(query.order_by(RemedyCase.id)))
            db.session().expunge_all()
            db.session.remove()
        return found

    def case(self, subject: str = BAD) -> RemedyCase:
        found = [case for case in self.all() if case.subject == subject]
        assert found, [case.subject for case in self.all()]
        return found[-1]

    @property
    def state(self) -> str:
        return str(self.case().state)

    def act(self, what: Any, by: Principal | None = None, subject: str = BAD, **named: Any) -> None:
        with self.writing() as session:
            what(
                session, by or self.who("lead"), tools(), self.case_id(subject), **named, now=self.clock.now()
            )

    def case_id(self, subject: str = BAD) -> uuid.UUID:
        found: uuid.UUID = self.case(subject).id
        return found

    def refused(self, what: Any, by: Principal | None = None, **named: Any) -> str:
        with pytest.raises(DomainError) as told:
            self.act(what, by, **named)
        return told.value.code

    def order(self, by: Principal | None = None, subject: str = BAD) -> None:
        self.act(order, by, subject, reason="工作手机不能装", accept_loss=True)

    def offered(self, *more: dict[str, Any], **changes: Any) -> list[wire.Command]:
        """What the gateway is given of this room as it reads the phone."""
        return [c for c in self.read(*more, **changes) if c.kind in ("remove_app", "restore_app")]

    def to(self, state: str) -> RemedyCase:
        """Bring a case of the forbidden app to told_butler, ordered, removing or checking."""
        untouched, name = self.home.untouched(self), (state, self.clock.now())
        if not (untouched and self.home.jump(name)):
            self._come_to(state)
            if untouched:
                self.home.keep(name, self)
        assert self.state == state
        return self.case()

    def _come_to(self, state: str) -> None:
        self.find(package(BAD))
        if state != "told_butler":
            self.order()
        if state in ("removing", "checking"):
            assert len(self.offered(package(BAD))) == 1
        if state == "checking":
            assert self.gone() == []

    def tell(
        self, state: str, outcome: str | None = None, after: Any = None, reason: str | None = None,
        command_id: uuid.UUID | None = None, **more: Any,
    ) -> list[Any]:  # fmt: skip
        """The gateway's word on the case's command; what of it was rejected."""
        detail = {"outcome": outcome, "reason": reason, "tried": [], "after": after, **more}
        known = str(command_id or self.case().command_id)
        result = {"id": known, "state": state, "age_s": 0.0, "detail": detail}
        answer = self.gateway.checkin(results=[result])
        assert answer.status_code == 200, answer.text
        rejected: list[Any] = answer.get_json()["rejected"]
        return rejected

    def gone(self) -> list[Any]:
        return self.tell("succeeded", "uninstalled", seen(installed=False))

    def look(self, when: Look = Look.ORDER) -> list[str]:
        with self.writing() as session:
            case = store.by_id(session, self.case_id())
            assert case is not None
            return [one.code for one in blockers(session, tools(), case, when, self.clock.now())]

    def command(self) -> Command:
        with self.app.app_context():
            found = db.session().get_one(Command, self.case().command_id)
            db.session().expunge_all()
            db.session.remove()
        return found

    def queued(self) -> list[str]:
        """Kinds of commands that are not done."""
        with self.app.app_context():
            found = list(db.session().scalars(select(Command.kind).where(Command.state.in_(ACTIVE))))
            db.session.remove()
        return sorted(found)

    def steps(self, subject: str = BAD) -> list[str]:
        case_id = self.case_id(subject)
        with self.app.app_context():
            query = select(RemedyStep.step).where(RemedyStep.case_id == case_id)
            found = list(db.session().scalars(query.order_by(RemedyStep.at, RemedyStep.id)))
            db.session.remove()
        return found

    def trail(self) -> list[str]:
        with self.app.app_context():
            query = (
                select(AuditRow.action).where(AuditRow.action.startswith("remedy.")).order_by(AuditRow.seq)
            )
            found = [action.removeprefix("remedy.") for action in db.session().scalars(query)]
            db.session.remove()
        return found

    def tasks(self) -> list[str]:
        """Open tasks of this room, by their case."""
        with self.app.app_context():
            query = select(Task.key).where(Task.key.startswith("remedy:"), Task.state == "open")
            found = sorted(key.removeprefix("remedy:") for key in db.session().scalars(query))
            db.session.remove()
        return found

    def notices(self) -> list[tuple[str, str, set[uuid.UUID | None]]]:
        """Title, body and the employees who were told, in order."""
        with self.app.app_context():
            session = db.session()
            found = [
                (
                    notice.title,
                    notice.body,
                    set(
                        session.scalars(
                            select(NoticeCopy.employee_id).where(NoticeCopy.notice_id == notice.id)
                        )
                    ),
                )
                for notice in session.scalars(
                    select(Notice).where(Notice.kind == "remedy").order_by(Notice.created_at, Notice.id)
                )
            ]
            db.session.remove()
        return found


def seen(
    installed: bool | None = True, enabled: int | None = 0, suspended: bool | None = False
) -> dict[str, Any]:
    return {"installed": installed, "enabled": enabled, "suspended": suspended}


def populated(world: World) -> World:
    """With an escrow, a kit that Zhang holds, and the centre's lists."""
    since = world.clock.now() - dt.timedelta(days=30)
    stamp = {
        "created_at": since,
        "updated_at": since,
        "centre_id": world.org.centre,
        "post_id": world.org.post,
    }
    with world.writing() as session:
        keeping.set_up(session, world.app.extensions["butler"].vault, None, world.clock.now())
        session.add(KitAssignment(handset_id=world.phone, valid_from=since, **stamp))
        session.add(PostHolding(employee_id=world.org.zhang, valid_from=since, **stamp))
    world.layer("allowlist", {"apps": NAMES})
    world.layer("remedy", {"ladder_hours": {"critical": {"lead": 4, "act": 24}}})
    return world
