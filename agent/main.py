"""The agent's command line.

Each subcommand lives in its own module and is imported only when it is asked for.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from importlib.util import find_spec

_EXIT_INTERRUPTED = 130
_EXIT_PIPE = 141

COMMANDS = {
    "snapshot": "agent.snapshot",
    "preset": "agent.preset",
    "enrol": "agent.enrol",
    "run": "agent.run",
    "adopt": "agent.adopt",
    "read": "agent.read_dumps",
    "simulate": "agent.simulator.cli",
}
"""Subcommand → module with `add_parser(subparsers)`, which sets `run` to a function of the parsed
arguments.
"""


def main(argv: list[str] | None = None) -> int:
    """Run one subcommand; the exit code is its own, 2 for bad arguments, 130 for Ctrl-C where that is no way to end."""
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(
        prog="python -m agent", description="管家手机采集代理：通过 ADB 读取手机并上报服务器"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    wanted = [argv[0]] if argv and argv[0] in COMMANDS else [name for name in COMMANDS if _installed(name)]
    for name in wanted:
        import_module(COMMANDS[name]).add_parser(commands)
    args = parser.parse_args(argv)
    try:
        code = int(args.run(args))
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.stderr.write("已中断 · interrupted\n")
        return _EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain once more when it ends.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
        return _EXIT_PIPE
    return code


def _installed(name: str) -> bool:
    """A gateway may leave the simulator out."""
    package, _, _ = COMMANDS[name].rpartition(".")
    return find_spec(package) is not None
