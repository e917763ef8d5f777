"""`agent run`: read the site's phones, spool, report, carry out commands, until told to stop."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent import __version__, wire
from agent.batches import Batches
from agent.boxes import Boxes
from agent.cli_options import add_transport_arguments, number, transport_options
from agent.client import Client, ServerAway, ServerRefused, check_url
from agent.commands import CommandWorker, Kind, ReadPhone
from agent.contacts import CountContacts
from agent.database import Database, SpoolError
from agent.enrol import EXIT_AWAY, EXIT_REFUSED, EXIT_USAGE, EnrolError, default_name, enrol, read_code
from agent.errors import AgentError
from agent.hands import Hands
from agent.identify import IdentifyPhone
from agent.identity import PhoneAtHand
from agent.inbox import Inbox, Outcome
from agent.inspect_phone import InspectPhone
from agent.instant import SiteClock, site_clock
from agent.journal import JournalKeeper
from agent.lock import LOCK_KINDS, LockKind
from agent.logs import set_up
from agent.longwork import LongWork
from agent.pins import KeyPins
from agent.probes.prober import Prober
from agent.probes.selfcheck import SelfCheck, canary_at
from agent.reading import DEADLINE_S, PhoneReader
from agent.remove import RemoveApp, RestoreApp
from agent.reporter import AgentStopped, Reporter
from agent.spool import Spool
from agent.state import DEFAULT_STATE, Identity, State
from agent.sweep import CONCURRENCY, Serials, Sweeper
from agent.targets import OWN_PHONE, AdbWatch, TargetList, require_own_phone
from agent.transfer.wiring import transfer_kinds
from agent.transport import TransportOptions, parse_target
from agent.wipe import WipeKind

log = logging.getLogger("agent")

EXIT_INTERNAL = 1
_FIRST_CONTACT_S = 10.0
_END_S = 3.0


class Agent:
    """All parts of a running agent, wired. `run` and `once` return the exit code."""

    def __init__(
        self,
        state: State,
        identity: Identity,
        targets: TargetList,
        watch: AdbWatch | None,
        options: TransportOptions,
        *,
        clock: SiteClock,
        interval_s: float | None = None,
        concurrency: int = CONCURRENCY,
        deadline_s: float = DEADLINE_S,
        canary: str | None = None,
    ) -> None:
        self._database = Database(state.spool)
        self._spool = Spool(self._database)
        self._batches = Batches(self._spool, clock)
        self._identity, self._clock = identity, clock
        self._watch, self._targets = watch, targets
        self._stop = threading.Event()
        self._ended_by: BaseException | None = None
        self._threads: list[threading.Thread] = []
        self._first_round = True
        serials, hands = Serials(self._spool.serials()), Hands()
        reader = self._reader(options, deadline_s)
        self._sweeper = Sweeper(
            reader,
            self._spool.add,
            targets.current,
            lambda: interval_s or self._reporter.interval_s,
            serials,
            hands,
            concurrency=concurrency,
            clock=clock.steady,
            on_round=self._round_ended,
        )
        self._check = self._self_check(options, canary)
        self._prober = Prober(reader, hands, serials, targets.current, self._check, clock, self._finished)
        boxes = Boxes(clock.steady)
        self._works = LongWork(self._finished, self._spool, clock, self._result_ready)
        self._inbox = Inbox(self._database, self._clock)
        kinds = self._kinds(state, reader, options, boxes, hands, serials)
        self._worker = CommandWorker(self._inbox, kinds, self._clock, on_result=self._result_ready)
        self._reporter = Reporter(
            self._batches,
            Client(identity.server_url, state.keys().ed25519, identity.agent_id),
            identity,
            status=self._status,
            on_commands=self._worker.wake,
            on_answer=self._check.answered,
            pins=KeyPins(identity, state.save_identity),
            boxes=boxes,
        )

    def _kinds(
        self, state: State, reader: PhoneReader, options: TransportOptions, boxes: Boxes, hands: Hands,
        serials: Serials,
    ) -> dict[str, Kind]:  # fmt: skip
        """The kinds of commands that this agent knows, by name."""
        targets, clock = self._targets.current, self._clock.steady
        kinds: dict[str, Kind] = {
            "read_phone": ReadPhone(reader, hands, serials, targets),
            "count_contacts": CountContacts(options, hands, serials, targets, clock),
        }
        if self._identity.kind == "gateway":
            # An agent on the phone itself always reaches it, which proves nothing, and is no keeper of its password.
            kinds["probe"] = self._prober
            at_hand = PhoneAtHand(options, hands, serials, targets, clock)
            for name, what in LOCK_KINDS.items():
                kinds[name] = LockKind(what, state.keys().x25519, boxes, at_hand)
            kinds["inspect_phone"] = InspectPhone(at_hand)
            kinds["identify_phone"] = IdentifyPhone(at_hand)
            kinds["remove_app"], kinds["restore_app"] = RemoveApp(at_hand), RestoreApp(at_hand)
            kinds["wipe_phone"] = WipeKind(
                state.keys().x25519, boxes, at_hand, self._inbox.left_s, self._came_so_far
            )
            kinds |= transfer_kinds(state, self._identity, boxes, at_hand, self._works, clock)
        return kinds

    def _reader(self, options: TransportOptions, deadline_s: float) -> PhoneReader:
        kind = self._identity.kind
        return PhoneReader(
            self._clock,
            options,
            grade=kind,
            hmac_key=self._batches.hmac_key,
            journals=JournalKeeper(self._spool.collected, self._clock.steady, kind),
            deadline_s=deadline_s,
        )

    def _self_check(self, options: TransportOptions, canary: str | None) -> SelfCheck:
        watch = self._watch
        return SelfCheck(
            self._clock,
            self._spool.add,
            pace_s=lambda: self._reporter.interval_s,
            adb_up=lambda: watch.up if watch else None,
            canary=canary_at(canary, options) if canary else None,
        )

    def run(self) -> int:
        """Work until `stop`, or until the server takes this agent no more."""
        if self._watch:
            self._start("adb-watch", self._watch.run)
        self._start("report", self._reporter.run)
        if self._batches.hmac_key() is None:
            # Without the installation's key the first readings would lack the names of accounts.
            self._reporter.tried.wait(_FIRST_CONTACT_S)
        self._start("commands", self._worker.run)
        self._start("self-check", self._check.run)
        self._start("probes", self._prober.run)
        self._sweeper.run(self._stop)
        self._prober.give_up()
        self._works.stop()
        self._works.join(_END_S)
        for thread in self._threads:
            thread.join(_END_S)
        return self._exit_code()

    def once(self) -> int:
        """Contact, one round, the commands that came, report."""
        try:
            if self._watch:
                self._start("adb-watch", self._watch.run)
                self._watch.first_try_ended.wait(_FIRST_CONTACT_S)
            self._try_report()
            self._check.tick()
            self._sweeper.once()
            self._worker.drain(self._stop)
            # Tests and transfers need minutes, which a single round does not have.
            self._prober.give_up()
            self._works.stop()
            self._works.join(_END_S)
            self._ended_by = self._try_report()
        except AgentStopped as exc:
            self._ended_by = exc
        self._stop.set()
        self._database.close()
        return self._exit_code()

    def stop(self) -> None:
        """May be called by a signal handler or by any thread."""
        self._stop.set()
        self._works.stop()
        self._sweeper.wake()
        self._worker.wake()
        self._prober.wake()
        self._reporter.wake()

    def _try_report(self) -> ServerAway | None:
        try:
            self._reporter.drain(self._stop)
        except ServerAway as exc:
            log.warning("check-in failed, kept: %s", exc)
            return exc
        return None

    def _start(self, name: str, work: Callable[[threading.Event], None]) -> None:
        def guarded() -> None:
            try:
                work(self._stop)
            except BaseException as exc:  # noqa: BLE001 - it ends the agent, which says what it was
                self._ended_by = exc
                self.stop()

        thread = threading.Thread(target=guarded, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _finished(self, command_id: str, outcome: Outcome) -> None:
        self._worker.finish(command_id, outcome)

    def _came_so_far(self, command_id: str, detail: dict[str, Any]) -> None:
        self._inbox.tell(command_id, detail)
        self._result_ready()

    def _result_ready(self) -> None:
        self._reporter.wake()

    def _round_ended(self) -> None:
        # The first round is reported at once: somebody who has just set this up is looking at the page.
        if self._first_round:
            self._reporter.wake()
        self._first_round = False

    def _status(self) -> wire.AgentState:
        return {
            "version": __version__,
            "spooled": 0,
            "targets": len(self._targets.current()),
            "adb_server": self._watch.up if self._watch else None,
        }

    def _exit_code(self) -> int:
        ended = self._ended_by
        if ended is None:
            return 0
        if isinstance(ended, AgentStopped):
            log.error("服务器不再接受本代理，请联系管理员 · stopped by the server: %s", ended)
            return EXIT_REFUSED
        if isinstance(ended, ServerAway):
            return EXIT_AWAY
        log.error("agent ended by an error", exc_info=ended)
        return EXIT_INTERNAL


def ensure_identity(state: State, args: argparse.Namespace) -> Identity:
    """Who we are, enrolling first where a code was given. Raise `AgentError`, `wire.WireError`."""
    wanted = check_url(args.server) if args.server else None
    known = state.identity()
    if known is None:
        if args.enrol_code_file is None:
            raise EnrolError("not enrolled yet: agent enrol CODE, or --enrol-code-file FILE")
        code = read_code(args.enrol_code_file)
        if wanted and check_url(code.url) != wanted:
            raise EnrolError("the enrolment code is for another server than --server")
        known = enrol(state, code, name=args.name, kind=args.kind)
        log.info("enrolled agent=%s server=%s", known.agent_id, known.server_url)
    if wanted and known.server_url != wanted:
        # A server may move. Another one does not know this agent and signs no command that the pinned key opens.
        log.warning("the server has moved from=%s to=%s", known.server_url, wanted)
        known = replace(known, server_url=wanted)
        state.save_identity(known)
    return known


def target_list(
    args: argparse.Namespace, state: State, identity: Identity, clock: SiteClock
) -> tuple[TargetList, AdbWatch | None]:
    """Where the phones are. Raise `AgentError` for a target that is malformed or not ours to read."""
    given = [parse_target(text).text for text in args.target]
    if identity.kind == "self":
        own = given or [OWN_PHONE]
        require_own_phone(own)
        return TargetList(own, None, None), None
    watch = None if args.no_adb_server else AdbWatch(args.adb_server, clock=clock.steady)
    return TargetList(given, args.targets_file or state.targets, watch), watch


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("run", help="持续采集本站手机并上报")
    parser.add_argument("--server", metavar="URL", help="服务器地址（默认：登记时的服务器）")
    parser.add_argument(
        "--target", action="append", default=[], metavar="T", help="tcp:HOST:PORT 或 server:SERIAL，可重复"
    )
    parser.add_argument(
        "--targets-file", type=Path, metavar="F", help="每行一个目标（默认：状态目录/targets.txt）"
    )
    parser.add_argument("--no-adb-server", action="store_true", help="不读取本机 adb server 上的手机")
    parser.add_argument(
        "--interval", type=number(1, 86400), metavar="S", help="采集间隔秒数（默认：由服务器决定）"
    )
    parser.add_argument(
        "--concurrency",
        type=number(1, 256, whole=True),
        default=CONCURRENCY,
        metavar="N",
        help="同时读取的手机数",
    )
    parser.add_argument(
        "--phone-deadline",
        type=number(1, 3600),
        default=DEADLINE_S,
        metavar="S",
        help="读取一部手机的时限（秒）",
    )
    parser.add_argument(
        "--canary", metavar="T", help="常驻本站的一部手机（目标）：它也联系不上时，不怀疑任何手机"
    )
    parser.add_argument("--once", action="store_true", help="采集一轮、上报后退出")
    parser.add_argument("--enrol-code-file", metavar="F", help="尚未登记时使用的登记码文件，- 为标准输入")
    parser.add_argument("--name", default=default_name(), help="登记时的名称")
    parser.add_argument("--kind", choices=["gateway", "self"], default="gateway", help="登记时的类型")
    parser.add_argument("--state", type=Path, default=Path(DEFAULT_STATE), metavar="DIR", help="状态目录")
    parser.add_argument("--verbose", action="store_true", help="更详细的日志")
    add_transport_arguments(parser)
    parser.set_defaults(run=main)


def main(args: argparse.Namespace) -> int:
    """Exit codes: 0 told to stop, 1 internal or disk, 2 arguments or state, 6 server away, 7 refused by the server."""
    set_up(verbose=args.verbose)
    try:
        state = State(args.state.expanduser())
        with state.only_one():
            return _run(args, state)
    except ServerAway as exc:
        return _fail(EXIT_AWAY, f"连不上服务器 · server away: {exc}")
    except ServerRefused as exc:
        return _fail(EXIT_REFUSED, f"服务器拒绝 · refused by the server: {exc}")
    except SpoolError as exc:
        # Not 2: a full disk is emptied one day, and a service manager that is told not to try again would leave the
        # site unread for ever.
        return _fail(EXIT_INTERNAL, f"无法启动 · cannot start: {exc}")
    except (AgentError, wire.WireError) as exc:
        return _fail(EXIT_USAGE, f"无法启动 · cannot start: {exc}")


def _run(args: argparse.Namespace, state: State) -> int:
    identity = ensure_identity(state, args)
    clock = site_clock()
    targets, watch = target_list(args, state, identity, clock)
    agent = Agent(
        state,
        identity,
        targets,
        watch,
        transport_options(args),
        clock=clock,
        interval_s=args.interval,
        concurrency=args.concurrency,
        deadline_s=args.phone_deadline,
        canary=parse_target(args.canary).text if args.canary else None,
    )
    if args.once:
        return agent.once()
    for told in (signal.SIGINT, signal.SIGTERM):
        signal.signal(told, lambda *_: agent.stop())
    log.info("agent=%s server=%s targets=%d", identity.agent_id, identity.server_url, len(targets.current()))
    return agent.run()


def _fail(code: int, line: str) -> int:
    sys.stderr.write(line + "\n")
    return code
