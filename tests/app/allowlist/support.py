"""Phones with what they carry, written as readings leave it; a person's browser with a token."""

from __future__ import annotations

import re
import uuid
from html import unescape
from typing import Any

import orjson
from flask import Flask
from werkzeug.test import TestResponse

from app.kernel.db import begin_write, db
from app.readings.model import PhoneSection, PhoneState
from app.registry.model import Handset
from tests.app.conftest import START, Caller

NAMES = ["爱家微社区", "爱家金钥匙", "爱家项目看板", "助这儿", "易企秀", "水印相机"]
NAMED = {"apps": {label: {"package": f"com.work.a{i}"} for i, label in enumerate(NAMES)}}
"""A layer that names every work app."""
WORK_PACKAGES = ["com.tencent.mm", *(app["package"] for app in NAMED["apps"].values())]


def package(name: str, **over: Any) -> dict[str, Any]:
    row = {
        "name": name,
        "user": 0,
        "version_code": 10,
        "version_name": "1.0",
        "system": False,
        "enabled": True,
    }
    return row | {"suspended": False, "installer": "com.xiaomi.market"} | over


def add_phone(
    app: Flask, centre: uuid.UUID, tag: str, packages: list[str] | None, model: str = "M1"
) -> uuid.UUID:
    """A phone that was just read and carries these apps; None: it was never read."""
    stamp = {"created_at": START, "updated_at": START, "specification": {}}
    with app.app_context():
        session = begin_write(db.session())
        row = Handset(
            centre_id=centre, asset_tag=tag, serial=f"S-{tag}", brand="Xiaomi", model=model, **stamp
        )
        session.add(row)
        session.flush()
        handset_id: uuid.UUID = row.id
        if packages is not None:
            sections = {
                "packages": [package(name) for name in packages],
                "users": [{"id": 0, "name": "Owner", "running": True}],
                "identity": {"brand": "Xiaomi", "model": model, "security_patch": "2026-10-01"},
            }
            session.add(
                PhoneState(
                    handset_id=row.id, centre_id=centre, at=START, received_at=START, airplane_mode=False
                )
            )
            session.add_all(
                PhoneSection(
                    handset_id=row.id, centre_id=centre, name=name, tag="0" * 32, at=START,
                    data=orjson.dumps(data).decode(),
                )
                for name, data in sections.items()
            )  # fmt: skip
        session.commit()
        db.session.remove()
    return handset_id


def submit(caller: Caller, path: str, /, **fields: str) -> TestResponse:
    return caller.post(path, data=fields)


def draft_of(answer: TestResponse) -> str:
    """The draft's page that an edit led to."""
    assert answer.status_code == 303, answer.text
    found = re.match(r"/allowlist/drafts/[0-9a-f-]+", answer.headers["Location"])
    assert found, answer.headers["Location"]
    return found[0]


def text_of(answer: TestResponse) -> str:
    assert answer.status_code == 200, answer.text
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def save(caller: Caller, draft: str, reason: str = "试用") -> TestResponse:
    page = caller.get(draft).text
    version = re.search(r'name="version" value="(\d+)"', page)
    return submit(caller, f"{draft}/save", version=version[1] if version else "", reason=reason)
