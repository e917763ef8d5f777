"""Readings of phones as a check-in hands them on, and what comes of them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.compliance import judge, verdicts
from app.compliance.model import ComplianceChange
from app.kernel.tenancy import SYSTEM
from app.policy import LayerInput, PolicyFiles, put_layer
from app.readings import AgentRef, Power, Reading, absorb
from app.registry import HandsetRef
from tests.app.compliance.healthy import OWNER, REST
from tests.app.compliance.healthy import app as package
from tests.app.conftest import START
from tests.app.uptime.support import AGENT, BOOT_A

HOUR = dt.timedelta(hours=1)
NAMES = {
    label: {"package": f"com.work.a{i}"}
    for i, label in enumerate(["爱家微社区", "爱家金钥匙", "爱家项目看板", "助这儿", "易企秀", "水印相机"])
}
WORK = [package("com.tencent.mm"), *(package(app["package"]) for app in NAMES.values())]
BAD = package("com.ss.android.ugc.aweme")


class Phones:
    """Sends readings of phones through `absorb` and `judge`, as a check-in does."""

    def __init__(self, session: Session, files: PolicyFiles) -> None:
        self.session, self.files = session, files

    def send(
        self,
        phone: HandsetRef,
        now: dt.datetime,
        packages: list[dict[str, Any]] | None,
        *,
        users: list[dict[str, Any]] | None = None,
        unread: tuple[tuple[str, str], ...] = (),
        age_us: int | None = 0,
        airplane: bool | None = False,
        **rest: Any,
    ) -> None:
        """What is not given is as it should be; a section that is None was not read."""
        sections: dict[str, Any] = {"users": users or OWNER, "packages": packages, **REST, **rest}
        sections = {name: data for name, data in sections.items() if data is not None}
        tags = {name: f"{hash(repr(data)) & 0xFFFFFFFF:032x}" for name, data in sections.items()}
        reading = Reading(
            "S1",
            "tcp:x",
            age_us,
            BOOT_A,
            1,
            60_000_000,
            "gateway",
            Power(None, None, airplane, None),
            tags,
            sections,
            unread,
        )
        agent = AgentRef(AGENT, phone.centre_id, "gateway")
        absorbed = absorb(self.session, agent, [(reading, phone)], now).absorbed
        judge(self.session, absorbed, self.files, now)

    def verdict(self, phone: HandsetRef) -> Any:
        return verdicts(self.session, SYSTEM, [phone.id])[phone.id]


def layer(
    session: Session, files: PolicyFiles, centre: uuid.UUID, body: dict[str, Any], version: int = 0
) -> None:
    entry = LayerInput("allowlist", "centre", centre, body, "包名")
    put_layer(session, SYSTEM, files, entry, expected_version=version, now=START)


def changes(session: Session) -> list[str]:
    return list(session.scalars(select(ComplianceChange.status).order_by(ComplianceChange.id)))
