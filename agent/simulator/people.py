"""A simulated phone's contacts, calls and messages: what its content providers keep, in one SQLite in memory.

Android's own providers are SQLite, too: `--where` and `--sort` reach it as text there and here.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.simulator.state import PhoneState

PHOTO = "vnd.android.cursor.item/photo"
_DATA = ", ".join(f"data{number} text" for number in range(1, 15))
_SCHEMA = f"""
create table raw_contacts (_id integer primary key autoincrement, contact_id integer, account_name text,
  account_type text, sourceid text, version integer default 1, deleted integer default 0,
  starred integer default 0, display_name text);
create table data (_id integer primary key autoincrement, raw_contact_id integer, contact_id integer,
  mimetype text, is_primary integer default 0, is_super_primary integer default 0, {_DATA}, data15 blob);
create index data_of on data (raw_contact_id);
create table groups (_id integer primary key autoincrement, title text, notes text, account_name text,
  account_type text, deleted integer default 0, group_visible integer default 0);
create table calls (_id integer primary key autoincrement, number text, presentation integer default 1,
  date integer, duration integer, type integer, name text, new integer default 0, is_read integer default 1);
create table sms (_id integer primary key autoincrement, thread_id integer, address text, person integer,
  date integer, date_sent integer, read integer default 0, seen integer default 0, type integer, subject text,
  body text);
create table mms (_id integer primary key autoincrement, thread_id integer, date integer, sub text);
"""


class ProviderLie(StrEnum):
    """What a phone of a bad day does with contacts, calls and messages."""

    IMPORT_NO_PHOTOS = "import_no_photos"
    """The import screen drops photos."""
    IMPORT_NO_CUSTOM = "import_no_custom"
    """It drops what only Android knows: groups, nicknames, days, kinship."""
    IMPORT_SHORT_NOTES = "import_short_notes"
    """It cuts notes after 100 characters."""
    IMPORT_HALF = "import_half"
    """It stops in the middle, as when its app is killed."""
    IMPORT_NEVER = "import_never"
    """It takes the tap and imports nothing."""
    CONTACTS_IGNORED = "contacts_ignored"
    """Inserts into the contacts are taken without a word and not done."""
    CALLS_IGNORED = "calls_ignored"
    """The same of the call log."""
    WRITE_DENIED = "write_denied"
    """Every insert and update is a SecurityException."""
    NO_WRITE = "no_write"
    """`content` has no `write`, as before Android 9."""
    SMS_TAKEN = "sms_taken"
    """Messages are taken, as from the default SMS app: no lie, but rare."""


@dataclass
class CardImport:
    """A vCard file that somebody opened on the phone. `cards` None: nobody has tapped "import" yet."""

    path: str
    cards: list[str] | None = None
    begun_at: float = 0.0
    done: int = 0


@dataclass
class People:
    """The providers' tables, and what is being imported."""

    db: sqlite3.Connection
    imports: list[CardImport] = field(default_factory=list)

    @classmethod
    def empty(cls) -> People:
        """A phone on which nobody was ever called."""
        db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        db.executescript(_SCHEMA)
        return cls(db)


def people_of(phone: PhoneState) -> People:
    """The phone's providers, made from its state's numbers when they are first asked for; imports that are
    under way have come as far as their time allows.
    """
    from agent.simulator import people_make, vcards

    if phone.people is None:
        phone.people = People.empty()
        people_make.fill(phone.people.db, phone)
    vcards.go_on(phone)
    return phone.people
