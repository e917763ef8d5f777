"""Distinctive passwords through every path, then looked for wherever something is kept or said: found nowhere."""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import select, update

from app.escrow import filing, store
from app.escrow.lock_orders import ask_lock_set
from app.escrow.model import SecretVersion
from app.logs import configure_logs
from app.registry import Grid, KitAssignment, Post, PostHolding, WeChatAccount
from tests.app.escrow.lock_world import World, everything, world
from tests.app.escrow.test_flow import revealed
from tests.support.agents import reading
from tests.support.fleet import enroller, gateway, phones, rows

__all__ = ["enroller", "gateway", "phones", "rows", "world"]
# Long enough that none turns up by chance among ids and times.
WECHAT, RENEWED, GUESS, SHORT = "canary-Kx7Qw2mPzR4t", "canary-Next55xBv8", "canary-Wrong77Gh3s", "canaryS"
BY_API, API_GUESS, BY_BUTLER, BUTLER_GUESS = (
    "7391540268137945", "7391540268137946", "8264051937264058", "8264051937264059",
)  # fmt: skip
CRASHED, SEALED, DAMAGED, ORDERED = (
    "9152637480915264", "9152637480915265", "9152637480915266", "6047281935604729",
)  # fmt: skip


class Walk:
    """Everything that was answered on the way, but the two pages that show a password on purpose."""

    def __init__(self, world: World, at_desk: Any, as_user: Any, org: Any) -> None:
        self.world, self.said = world, list[str]()
        self.asker, self.approver = at_desk("it"), at_desk("lead")
        self.program = as_user("operations", org.centre)
        self.butler = as_user("butler", org.centre, employee=org.zhang)
        self.lock = f"/escrow/secrets/{world.secret}"
        with world.writing() as session:
            since = world.clock.now() - dt.timedelta(days=9)
            stamp = {"centre_id": org.centre, "created_at": since, "updated_at": since}
            account = WeChatAccount(district_id=org.district, nickname="小新", **stamp)
            grid = Grid(code="GX", name="十号片区", **stamp)
            session.add_all([account, grid])
            session.flush()
            post = Post(grid_id=grid.id, code="PX", name="十号管家", **stamp)
            session.add(post)
            session.flush()
            kit = {"post_id": post.id, "valid_from": since, **stamp}
            session.add(PostHolding(employee_id=org.zhang, **kit))
            session.add(KitAssignment(handset_id=world.phones["S1"], **kit))
            self.account = account.id

    def note(self, answer: Any, *wanted: int) -> Any:
        assert answer.status_code in wanted, answer.text
        self.said.append(answer.text + str(answer.headers))
        return answer

    def filed(self, text: str, **more: str) -> Any:
        fields = {"of": "wechat", "subject": str(self.account), "kind": "wechat_password", "how": "typed"}
        return self.asker.post(
            "/escrow/file", **{**fields, "text": text, "again": text, "in_force": "yes", **more}
        )

    def lock_by_api(self, text: str, **more: Any) -> Any:
        lock = {"of": "handset", "subject_id": str(self.world.phones["S1"]), "kind": "screen_lock"}
        return self.program.post(
            "/api/v1/escrow/secrets", json={**lock, "text": text, "in_force": True, **more}
        )


@pytest.fixture
def walk(world: World, at_desk: Any, as_user: Any, org: Any) -> Walk:
    return Walk(world, at_desk, as_user, org)


def pages(walk: Walk) -> str:
    """File, check right and wrong, refuse, renew, draw, show. Returns the text that was drawn."""
    secret = str(walk.note(walk.filed(WECHAT), 303).headers["Location"])
    for typed in (GUESS, WECHAT):
        walk.note(walk.asker.post(f"{secret}/check", typed=typed), 303)
    for text in (SHORT, "canary not strong", WECHAT):
        walk.note(walk.filed(text), 422)
    walk.note(walk.filed(RENEWED, again=GUESS), 422)
    _, _, shown = revealed(walk.asker, walk.approver, secret)
    assert WECHAT in shown.text
    walk.note(walk.filed(RENEWED, in_force=""), 303)
    walk.note(walk.asker.post(f"{secret}/drop"), 303)
    drawn = re.search(r'id="secret">([^<]+)<', walk.filed("", how="draw", in_force="").text)
    assert drawn
    for path in ("/escrow?of=wechat", "/escrow/reveals", secret, "/tasks", "/inbox"):
        walk.note(walk.approver.get(path), 200)
    return drawn[1]


def programs_and_butlers(walk: Walk) -> None:
    phone, lock = walk.world.phones["S1"], f"/api/v1{walk.lock}"
    walk.note(walk.lock_by_api(BY_API), 201)
    walk.note(walk.program.post(f"{lock}/check", json={"typed": API_GUESS}), 200)
    walk.note(walk.lock_by_api(BY_API, kind="sim_pin"), 422)
    walk.note(walk.lock_by_api(BY_API, more="x"), 422)
    own = {"kind": "screen_lock", "text": BY_BUTLER, "again": BY_BUTLER}
    walk.note(walk.butler.post(f"/my/lock/{phone}/file", data={**own, "again": BUTLER_GUESS}), 422)
    walk.note(walk.butler.post(f"/my/lock/{phone}/file", data=own), 303)
    typed = {"kind": "screen_lock", "typed": BUTLER_GUESS}
    walk.note(walk.butler.post(f"/my/lock/{phone}/check", data=typed), 303)
    walk.note(walk.butler.get("/my/lock"), 200)


def on_the_phone(walk: Walk) -> None:
    """The agent's command carries it in a sealed box, which is kept nowhere either; what adb says is scrubbed."""
    walk.note(walk.lock_by_api(ORDERED, in_force=False), 201)
    walk.world.gateway.checkin(readings=[reading("S1")])
    walk.world.ask(ask_lock_set)
    (command,) = walk.world.lease()
    walk.world.tell(command, "failed", outcome=f"Pin set to '{ORDERED}'", reason=ORDERED)
    walk.world.settle()
    walk.note(walk.asker.get(walk.lock), 200)


def accidents(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash with the text in hand, in filing and in comparing; a damaged record; sealed."""

    def burst(*_: Any, **__: Any) -> Any:
        raise ValueError("burst")

    with monkeypatch.context() as patched:
        patched.setattr(store, "add_sight", burst)
        walk.note(walk.filed(CRASHED + "a"), 500)
    with monkeypatch.context() as patched:
        patched.setattr(filing, "fault", burst)
        walk.note(walk.lock_by_api(CRASHED), 500)
    with monkeypatch.context() as patched:
        patched.setattr("app.escrow.checking.same", burst)
        walk.note(walk.program.post(f"/api/v1{walk.lock}/check", json={"typed": CRASHED}), 500)
    walk.world.clock.move(86_400)
    with walk.world.writing() as session:
        kept = session.execute(select(SecretVersion.id, SecretVersion.record)).all()
        for version, record in kept:
            broken = update(SecretVersion).where(SecretVersion.id == version)
            session.execute(broken.values(record=record[:-1] + bytes([record[-1] ^ 1])))
    walk.note(walk.program.post(f"/api/v1{walk.lock}/check", json={"typed": DAMAGED}), 503)
    with walk.world.writing() as session:
        for version, record in kept:
            session.execute(update(SecretVersion).where(SecretVersion.id == version).values(record=record))
    root = walk.world.here.vault.root()
    walk.world.here.vault.drop_root()
    walk.note(walk.lock_by_api(SEALED), 503)
    walk.world.here.vault.put_root(root)


def at_the_terminal(walk: Walk, place: Path) -> None:
    """Rotation, verification, backups, the auditor's bundle."""
    runner = walk.world.app.test_cli_runner()
    for command in (
        ["escrow", "rotate"], ["escrow", "verify"], ["escrow", "status"], ["escrow", "export", str(place / "keys")],
        ["backup", "init-key"], ["backup", str(place / "backups")], ["audit", "export", str(place / "bundle")],
        ["audit", "verify"],
    ):  # fmt: skip
        done = runner.invoke(args=command)
        assert done.exit_code == 0, (command, done.output)
        walk.said.append(done.output)


def files(*folders: Path) -> Iterator[bytes]:
    """Content of every file there, and what else of a password could stand in its name."""
    for folder in folders:
        for path in folder.rglob("*"):
            yield path.name.encode()
            if path.is_file():
                yield path.read_bytes()


def test_canary(walk: Walk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any, capfd: Any) -> None:
    caplog.set_level(logging.DEBUG)
    # Anew, for it keeps the standard error of its moment, which was not yet what is looked at here.
    configure_logs("DEBUG")
    drawn = pages(walk)
    programs_and_butlers(walk)
    on_the_phone(walk)
    accidents(walk, monkeypatch)
    at_the_terminal(walk, tmp_path / "out")
    document = walk.world.app.test_client().get("/api/v1/openapi.json", base_url="http://127.0.0.1").text
    processes = " ".join(" ".join(p.info["cmdline"] or ()) for p in psutil.process_iter(["cmdline"]))
    settings = walk.world.here.settings
    raw = [*files(tmp_path, settings.var_dir)]
    if settings.database_url.startswith("sqlite:///"):
        raw += files(Path(settings.database_url.removeprefix("sqlite:///")).parent)
    logged = "".join(capfd.readouterr())
    assert "unexpected_error" in logged
    told = "\n".join([everything(walk.world.app), caplog.text, logged, document, processes, *walk.said])
    kept = [told.encode(), *raw]
    assert any(b"escrow.tampered" in part for part in kept), "what is looked through is the right thing"
    canaries = (
        WECHAT, RENEWED, GUESS, SHORT, "canary not strong", drawn, BY_API, API_GUESS, BY_BUTLER, BUTLER_GUESS,
        ORDERED, CRASHED, SEALED, DAMAGED,
    )  # fmt: skip
    for canary in canaries:
        for form in (canary.encode(), canary.encode("utf-16-le"), canary.encode().hex().encode()):
            assert [part[:200] for part in kept if form in part] == [], canary
