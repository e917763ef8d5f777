"""The demo's data: registered once, however often it is seeded."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from flask import Flask

from app.kernel.db import db
from app.kernel.tenancy import SYSTEM
from app.registry import handsets_by_serial, holder_of

PHONES = Path("scripts/demo_phones.json")


def run(app: Flask, *args: str) -> Any:
    return app.test_cli_runner().invoke(args=["demo", "seed", *args])


def test_seeding_twice_changes_nothing(app: Flask, client: Any, clock: Any) -> None:
    first = run(app)
    assert first.exit_code == 0, first.output
    before = {n: client.get(f"/api/v1/{n}?limit=200").json["items"] for n in ("handsets", "kit-assignments")}
    clock.move(86400)
    second = run(app)
    assert second.output.splitlines()[0].startswith("新建 0 条")
    assert second.output.split()[-1] == first.output.split()[-1]
    for name, items in before.items():
        assert client.get(f"/api/v1/{name}?limit=200").json["items"] == items
    (centre,) = client.get("/api/v1/centres").json["items"]
    assert centre["code"] == first.output.split()[-1]


def test_all_demo_phones_but_one_are_registered_with_their_imeis(app: Flask, clock: Any) -> None:
    assert run(app).exit_code == 0
    phones = json.loads(PHONES.read_text())["phones"]
    unknown = [p for p in phones if "fault" not in p][-2]
    with app.app_context():
        known = handsets_by_serial(db.session(), [p["serial"] for p in phones])
        assert {s: list(ref.imeis) for s, ref in known.items()} == {
            p["serial"]: p["imeis"] for p in phones if p is not unknown
        }
        first = known[phones[0]["serial"]].id
        names = [
            holder_of(db.session(), SYSTEM, first, clock.now() - dt.timedelta(days=days))
            for days in (0, 60, 100)
        ]
        assert [n and n.employee_name for n in names] == ["张晓岚", "孙志强", None]
        db.session.remove()


def test_the_demos_phones_are_judged_by_the_names_that_they_use(app: Flask, client: Any) -> None:
    assert run(app).exit_code == 0
    (centre,) = client.get("/api/v1/centres").json["items"]
    apps = client.get(f"/api/v1/policies/allowlist?centre={centre['id']}").json["body"]["apps"]
    installed = {
        row["name"] for phone in json.loads(PHONES.read_text())["phones"] for row in phone["install"]
    }
    assert {app["package"] for app in apps.values()} <= installed


def test_a_file_without_phones_is_refused_in_one_line(app: Flask, tmp_path: Path) -> None:
    bad = tmp_path / "x.json"
    bad.write_text("{}")
    result = run(app, "--phones", str(bad))
    assert result.exit_code == 1
    assert result.output.count("\n") == 1


def test_passwords_of_every_kit_are_filed_once(app: Flask, clock: Any, tmp_path: Path) -> None:
    file = tmp_path / "passwords.txt"
    refused = run(app, "--secrets", str(file))
    assert (refused.exit_code, "flask escrow init" in refused.output, file.exists()) == (1, True, False)
    assert app.test_cli_runner().invoke(args=["escrow", "init"]).exit_code == 0
    assert run(app, "--secrets", str(file)).exit_code == 0
    rows = [line.split("\t") for line in file.read_text("utf-8").splitlines() if "\t" in line]
    kits = len([row for row in rows if row[0] == "锁屏密码"])
    assert kits > 3
    assert len(rows) == 4 * kits
    assert len({row[3] for row in rows}) > 3 * kits, "drawn, each for itself"
    assert file.stat().st_mode & 0o077 == 0
    assert run(app, "--secrets", str(file)).exit_code == 0
    assert len(file.read_text("utf-8").splitlines()) == len(rows) + 2, "what is filed stays"
    verified = app.test_cli_runner().invoke(args=["escrow", "verify"])
    assert f"{len(rows)} records open" in verified.output
