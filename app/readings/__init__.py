"""What agents read of phones: the newest state of each, the latest content of its sections, what was not reached."""

from app.readings.changes import Content, offer_again, take_changes
from app.readings.heard import Heard, heard_count, last_heard
from app.readings.journals import journal_notes, note_journals
from app.readings.rules import (
    AbsorbedReading,
    AgentRef,
    Journal,
    JournalNote,
    LastWords,
    Power,
    Reading,
    Unreached,
    dated,
)
from app.readings.schemas import (
    BadEntry,
    age_us,
    parse_journal,
    parse_reading,
    parse_unreached,
    shown,
    text,
)
from app.readings.service import (
    Absorption,
    Known,
    absorb,
    forget_sighting,
    known_as,
    latest_sections,
    latest_texts,
    note_contacts,
    note_sightings,
    phones_read_by,
    refused_phones,
)
from app.readings.spaces import OWNER, space_words
from app.readings.unread_words import reason_words
from app.readings.views import PhoneNow, Sighted, confirmed_at, contact_failures, list_sightings, phone_states

__all__ = [
    "OWNER",
    "AbsorbedReading",
    "Absorption",
    "AgentRef",
    "BadEntry",
    "Content",
    "Heard",
    "Journal",
    "JournalNote",
    "Known",
    "LastWords",
    "PhoneNow",
    "Power",
    "Reading",
    "Sighted",
    "Unreached",
    "absorb",
    "age_us",
    "confirmed_at",
    "contact_failures",
    "dated",
    "forget_sighting",
    "heard_count",
    "journal_notes",
    "known_as",
    "last_heard",
    "latest_sections",
    "latest_texts",
    "list_sightings",
    "note_contacts",
    "note_journals",
    "note_sightings",
    "offer_again",
    "parse_journal",
    "parse_reading",
    "parse_unreached",
    "phone_states",
    "phones_read_by",
    "reason_words",
    "refused_phones",
    "shown",
    "space_words",
    "take_changes",
    "text",
]
