"""`make run`: sets up what is not there yet, starts the server and its scheduler, and stays up until Ctrl-C.

With `--demo 1` a service centre for trying out lives under `var/demo`, with an agent and simulated phones;
with `--demo 0` there is only what was entered. Either keeps its data from one run to the next.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from types import FrameType
from typing import NoReturn

from scripts import preflight
from scripts.parent import Parent
from scripts.place import ROOT, Place
from scripts.processes import Child, Children, once
from scripts.terminal import Stop, complain, note, step

_READY_S = 60.0
_WATCH_S = 0.5


def main() -> int:
    # SIGTERM and a closed terminal end the run in the same order as Ctrl-C does; SIGINT is named because a
    # shell starts what runs in its background with that signal ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    parent = Parent()
    children = Children()
    try:
        port, demo = _arguments()
        with preflight.checked(port, demo=demo) as place:
            _set_up(place)
            _start(place, children)
            if place.demo:
                # Only a demo needs what simulated phones are made of.
                from scripts.demo import start_demo

                start_demo(place, children)
            _tell(place)
            _watch(children, parent)
    except Stop as stop:
        complain(str(stop))
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        _end(children)


def _arguments() -> tuple[int, bool]:
    """The port, and whether it is the demo. Raises `Stop`: what is wrong with a variable of make is one line."""
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("--port", default="8000")
    parser.add_argument("--demo", default="1")
    given = parser.parse_args()
    if not given.port.isdecimal() or not 0 < int(given.port) < 65536:
        raise Stop(f"PORT={given.port} is not a port: 1 to 65535")
    if given.demo not in {"0", "1"}:
        raise Stop(f"DEMO={given.demo}: 1 is with demo phones, 0 without")
    return int(given.port), given.demo == "1"


def _set_up(place: Place) -> None:
    log = place.log("setup")
    with step("数据库 / database"):
        once(place.flask("db", "upgrade"), place.environment, log)
        once(place.flask("installation", "init"), place.environment, log)
    with step("制度文件 / policies"):
        once(place.flask("policies", "check"), place.environment, log)


def _start(place: Place, children: Children) -> None:
    with step("服务器 / server"):
        server = children.start(Child("server", place.gunicorn(), place.environment, place.log("server")))
        _await_ready(place, server)
    with step("定时任务 / scheduler"):
        command = place.flask("scheduler", "run")
        children.start(Child("scheduler", command, place.environment, place.log("scheduler")))


def _await_ready(place: Place, server: Child) -> None:
    deadline = time.monotonic() + _READY_S
    while True:
        if not server.running():
            raise server.died()
        try:
            with urllib.request.urlopen(f"{place.url}/readyz", timeout=5):  # noqa: S310 - our own http address
                return
        except urllib.error.HTTPError as error:
            problem = error.read().decode("utf-8", "replace")
        except OSError as error:
            problem = str(error)
        if time.monotonic() > deadline:
            raise Stop(f"the server is not ready after {_READY_S:.0f} s: {problem} (see {server.log})")
        time.sleep(0.1)


def _tell(place: Place) -> None:
    # The token stands after the #: browsers send that part to nobody, so it reaches no log on the way.
    print(f"\n   打开 / open   {place.url}/enter#{place.access_token()}")
    if place.demo:
        _tell_users(place)
    elif not place.keyring.exists():
        note("密码托管还没有初始化 / passwords cannot be filed yet: .venv/bin/flask --app wsgi escrow init")
    print(f"   日志 / logs   {place.shown(place.logs)}/    停止 / stop   Ctrl-C\n", flush=True)
    if place.public_url:
        note(f"对外地址 / public address: {place.public_url}")


def _tell_users(place: Place) -> None:
    """Who can sign in beside the link's administrator; the demo's password is no secret."""
    from app.demo.people import DEMO_PASSWORD, DEMO_USERS
    from app.people import ROLE_WORDS

    print(f"   演示用户 / demo users   {place.url}/enter   密码 / password  {DEMO_PASSWORD}")
    for login, name, role, *_ in DEMO_USERS:
        print(f"     {login:<10} {name}  {ROLE_WORDS[role]}")
    note("其他管家用工号登录，密码相同，例如 e0004 / other butlers by their number, same password: e0004")
    note("主管、运营、IT、管理员第一次登录时要设置验证器 / some of them set up an authenticator first")
    kept = f"{place.shown(place.passwords)}    恢复密钥 / recovery key  {place.shown(place.recovery_key)}"
    note(f"托管的演示密码 / demo passwords in escrow  {kept}")


def _watch(children: Children, parent: Parent) -> NoReturn:
    while True:
        time.sleep(_WATCH_S)
        if parent.wants_end():
            raise KeyboardInterrupt
        children.revive()


def _end(children: Children) -> None:
    # A second Ctrl-C while ending must not leave half of them behind.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if children.started():
        with step("停止 / stopping"):
            children.end()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main())
