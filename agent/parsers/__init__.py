"""What phones print, turned into values. Pure functions: text in, dataclasses out; no file, no clock, no
network.

What is not understood is never dropped in silence: a parser raises `Unreadable` with the reason, or returns
the lines that it did not understand beside what it did.
"""

from agent.parsers.common import Unreadable

__all__ = ["Unreadable"]
