"""Phones whose readings go through `absorb`, as a check-in does it, and then into the index."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.apps.fact_rules import fold_facts
from app.apps.indexing import index_changes
from app.apps.model import AppEvent, AppPackage, AppPhone, AppPresence
from app.apps.package_rules import fold_packages
from app.apps.presence_rules import Rows, apply_step
from app.apps.rules import Change, Memory, Read, in_order, pack, unpack
from app.policy import PolicyFiles
from app.readings import AgentRef, Power, Reading, absorb
from app.registry import HandsetRef
from tests.app.uptime.support import AGENT, BOOT_A

AWEME, WECHAT, READER = "com.ss.android.ugc.aweme", "com.tencent.mm", "com.example.reader"
OWNER = [{"id": 0, "name": "", "running": True}]


def app(name: str, user: int = 0, code: int | None = 1, **changed: Any) -> dict[str, Any]:
    row = {
        "name": name, "user": user, "version_code": code, "version_name": None if code is None else f"{code}.0",
        "system": False, "enabled": True, "suspended": False, "installer": "com.xiaomi.market",
    }  # fmt: skip
    return row | changed


SYSTEM_APP = app("com.android.browser", system=True, installer=None)


class Site:
    """Sends readings of phones and asks what the index made of them."""

    def __init__(self, session: Session, files: PolicyFiles, start: dt.datetime) -> None:
        self.session, self.files, self.start = session, files, start

    def read(
        self,
        phone: HandsetRef,
        minute: float,
        *,
        unread: Sequence[str] = (),
        late: float = 0,
        index: bool = True,
        **sections: Any,
    ) -> None:
        """A reading taken at `minute`, that comes `late` minutes after."""
        tags = {name: f"{hash(orjson.dumps(data)) & (2**60 - 1):032x}" for name, data in sections.items()}
        reading = Reading(
            phone.serial, "tcp:x", int(late * 60_000_000), BOOT_A, 1, 60_000_000, "gateway",
            Power(None, None, None, None), tags, sections, tuple((part, "denied") for part in unread),
        )  # fmt: skip
        agent = AgentRef(AGENT, phone.centre_id, "gateway")
        absorb(self.session, agent, [(reading, phone)], self.at(minute + late))
        if index:
            self.index()

    def index(self, phones: int = 100) -> int:
        return index_changes(self.session, self.files, phones)

    def at(self, minute: float) -> dt.datetime:
        return self.start + dt.timedelta(minutes=minute)

    def minute(self, instant: dt.datetime | None) -> float | None:
        return None if instant is None else (instant - self.start).total_seconds() / 60

    def events(self, phone: HandsetRef) -> list[tuple[Any, ...]]:
        """(kind, user, package or subject, not before, at) in the order in which they were noted."""
        rows = self.session.scalars(
            select(AppEvent).where(AppEvent.handset_id == phone.id).order_by(AppEvent.id)
        )
        return [
            (r.kind, r.user_no, r.package or r.subject, self.minute(r.not_before), self.minute(r.at))
            for r in rows
        ]

    def details(self, phone: HandsetRef, kind: str) -> list[Mapping[str, Any]]:
        rows = self.session.scalars(
            select(AppEvent.detail)
            .where(AppEvent.handset_id == phone.id, AppEvent.kind == kind)
            .order_by(AppEvent.id)
        )
        return [orjson.loads(row) for row in rows]

    def rows(self, phone: HandsetRef) -> dict[tuple[int, str], AppPresence]:
        self.session.expire_all()
        query = (
            select(AppPackage.name, AppPresence)
            .join(AppPackage, AppPackage.no == AppPresence.package_no)
            .join(AppPhone, AppPhone.no == AppPresence.phone_no)
            .where(AppPhone.handset_id == phone.id)
        )
        return {(row.user_no, name): row for name, row in self.session.execute(query)}

    def there(self, phone: HandsetRef) -> set[tuple[int, str]]:
        return {key for key, row in self.rows(phone).items() if row.gone_at is None}


class OnPaper:
    """The same without a database: folds each reading at once, as the rules have it. Instants are minutes."""

    def __init__(self, forbidden: frozenset[str] = frozenset()) -> None:
        self.memory, self.forbidden = Memory(), forbidden
        self.changes: list[Change] = []
        self.rows: Rows = {}
        self._seen: dict[str, tuple[Any, float]] = {}

    def read(self, minute: float, *, unread: Sequence[str] = (), **sections: Any) -> None:
        reads = []
        for name, data in sections.items():
            before = self._seen.get(name)
            self._seen[name] = (data, minute)
            if before is None or before[0] != data:
                parts = frozenset(part for part in unread if part.startswith(name))
                reads.append(Read(name, us(minute), None if before is None else us(before[1]), parts, data))
        for read in in_order(reads):
            if read.name == "packages":
                outcome = fold_packages(self.memory, read, self.forbidden)
            else:
                outcome = fold_facts(self.memory, read)
            self.changes += outcome.changes
            for step in outcome.steps:
                apply_step(self.rows, step)
        self.memory = unpack(pack(self.memory))

    @property
    def events(self) -> list[tuple[Any, ...]]:
        return [
            (c.kind.value, c.user, c.package or c.subject, minutes(c.since), minutes(c.at))
            for c in self.changes
        ]

    def details(self, kind: str) -> list[Mapping[str, Any]]:
        return [{"before": c.before, "after": c.after} for c in self.changes if c.kind == kind]

    @property
    def there(self) -> set[tuple[int, str]]:
        return {key for key, row in self.rows.items() if row["gone_at"] is None}


def us(minute: float) -> int:
    return int(minute * 60_000_000)


def minutes(instant: int | None) -> float | None:
    return None if instant is None else instant / 60_000_000
