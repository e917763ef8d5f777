"""A signed paper with everything in it: fields, a table, photos, a drawn signature; issued and committed."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy.orm import Session

from app.kernel.clock import FixedClock, to_rfc3339
from app.kernel.db import begin_write, db
from app.kernel.jobs import Transactions
from app.papers import (
    Column,
    Document,
    Fields,
    Photo,
    Photos,
    Signatures,
    Signed,
    Table,
    Text,
    issue_paper,
    read_ink,
)
from app.papers.printing import Press
from tests.app.conftest import Org

INK = json.dumps(
    {"width": 360, "height": 160, "strokes": [[[20, 40], [120, 60], [60, 130]], [[200, 20], [200, 140]]]}
)


def photo(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (320, 240), colour).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def transactions(app: Flask) -> Transactions:
    """Each a session and a commit of its own, as `write_apart` makes for pages."""

    @contextmanager
    def opened() -> Iterator[Session]:
        with app.app_context(), Session(db.engine, expire_on_commit=False) as session:
            yield begin_write(session)
            session.commit()

    return opened


@pytest.fixture
def press(app: Flask, transactions: Transactions, clock: FixedClock) -> Press:
    here = app.extensions["butler"]
    return Press(transactions, here.keys, here.blobs, here.settings, clock)


@pytest.fixture
def issued(app: Flask, org: Org, clock: FixedClock, transactions: Transactions) -> Callable[..., uuid.UUID]:
    """`issued()`: the id of a paper of the first centre to which Zhang is a party."""

    def make(*, document: Document | None = None, **changes: object) -> uuid.UUID:
        here = app.extensions["butler"]
        with transactions() as session:
            names = [here.blobs.put(session, photo(c), "image/jpeg", clock.now()) for c in ("red", "blue")]
            ink = here.blobs.put(session, read_ink(INK).png, "image/png", clock.now())
            signed = Signed("移交人", "张三", to_rfc3339(clock.now()), "本人登录", "a" * 64, ink, "")
            whole = Document(
                "移交物品单",
                "一号片区管家",
                (
                    Fields("基本情况", (("岗位", "一号片区管家"), ("原因", "离职"))),
                    Table(
                        "物品", (Column("物品", 3), Column("状况", 2)), (("手机", "完好"), ("充电器", "缺少"))
                    ),
                    Text("异议", "无"),
                    Photos("照片", (Photo(names[0], "正面"), Photo(names[1], "背面"))),
                    Signatures("签字", (signed,)),
                ),
            )
            given = {
                "kind": "handover", "centre_id": org.centre, "subject": "handover_leg:1",
                "document": document or whole, "parties": (org.zhang,), "now": clock.now(), "keys": here.keys,
                **changes,
            }  # fmt: skip
            return issue_paper(session, "user-1", **given).id  # type: ignore[arg-type]

    return make
