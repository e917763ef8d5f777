"""The phone's own commands, emulated: argv in, what a phone of that state prints out."""

from agent.simulator.android.commands import NAMES, run

__all__ = ["NAMES", "run"]
