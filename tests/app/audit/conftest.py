from __future__ import annotations

import pytest

from app.audit import AuditEvent, record
from app.kernel.db import begin_write


@pytest.fixture
def append(session, clock):
    """`append(3, object="user:1")`: so many events more, committed."""

    def add(count=1, **values):
        for i in range(count):
            entry = {
                "actor": "张三",
                "action": "test.done",
                "object": f"thing:{i}",
                "details": {"n": i, "名": "㐀"},
            }
            record(session, AuditEvent(at=clock.move(1), **{**entry, **values}))
        session.commit()
        begin_write(session)

    return add


@pytest.fixture
def keys(app):
    return app.extensions["butler"].keys
