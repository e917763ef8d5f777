"""The demo's handovers: every kit was issued, one waits for its successor, and who answers for what is told."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from flask import Flask

from app.audit import verify
from app.credchecks.model import CheckItem
from app.handover import ChangeKind, differences_of, legs_of, open_handovers
from app.handover.model import HandoverLeg
from app.hardware.model import HardwareCase
from app.kernel.db import db
from app.kernel.tenancy import SYSTEM
from app.rooms import record_checks
from app.runtime import runtime
from app.transfer.model import Transfer
from app.wipe import Wipe

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PHONES = "scripts/demo_phones.json"


def test_every_kit_was_issued_and_one_is_on_its_way(app: Flask, tmp_path: Path) -> None:
    runner = app.test_cli_runner()
    key, secrets = str(tmp_path / "recovery"), str(tmp_path / "secrets")
    for args in (
        ["escrow", "init", "--own-key", "--recovery-file", key],
        ["demo", "seed", "--phones", PHONES, "--secrets", secrets],
    ):
        done = runner.invoke(args=args)
        assert done.exit_code == 0, done.output
    with app.app_context():
        session, here = db.session(), runtime()
        states = Counter(leg.state for leg in session.query(HandoverLeg))
        (case,) = open_handovers(session, SYSTEM)
        first, second = legs_of(session, case.id)
        assert states == {"completed": states["completed"], "draft": 1}
        assert states["completed"] >= 5
        assert (first.state, second.state) == ("completed", "draft")
        blamed = {
            change.name: (change.kind, change.in_custody_of.employee_id)
            for change in differences_of(session, SYSTEM, first.id)
            if change.in_custody_of is not None
        }
        assert blamed["充电器"] == (ChangeKind.MISSING, case.giver_id)
        assert ChangeKind.WORSE in {kind for kind, _ in blamed.values()}
        found = Counter(item.state for item in session.query(CheckItem))
        assert found["match"] >= 3
        assert found["mismatch"] == 1
        damaged = session.query(HardwareCase).one()
        assert (damaged.state, damaged.payer) == ("repair", "person")
        moving, ending = session.query(Transfer).one(), session.query(Wipe).one()
        assert (moving.old_id, moving.state) == (ending.handset_id, "draft")
        assert ending.state == "draft"
        assert verify(session).problem is None
        assert [
            problem for check in record_checks() for problem in check(session, here.blobs, here.keys)
        ] == []
