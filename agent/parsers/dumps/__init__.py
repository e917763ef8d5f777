"""Saved dumps of a phone: what kind each is, and line by line what of it is understood.

Every line is read (by a named rule of its kind), known noise (by a named rule), or unread, and kept as such.
"""

from agent.parsers.dumps.facts import Fact
from agent.parsers.dumps.files import Dump, Part, decode, read_dump, title
from agent.parsers.dumps.tally import Tally, Unread

__all__ = ["Dump", "Fact", "Part", "Tally", "Unread", "decode", "read_dump", "title"]
