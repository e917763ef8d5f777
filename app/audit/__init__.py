"""The audit trail: what was done, by whom, to what; each event chained to the one before, signed at times."""

from app.audit.bundle import BundleInfo, begin_bundle, write_bundle
from app.audit.checkpoint_files import read_checkpoint_files
from app.audit.checkpoint_rules import Checkpoint, read_checkpoint
from app.audit.erase_service import erase
from app.audit.listing import KeptEvent, Search, find_events, has_lately, kept_event, kept_events, subjects_of
from app.audit.marks import MARK, against_trail, facts_of, mark_of, trail_problems
from app.audit.model import AuditRow
from app.audit.service import AuditEvent, record, trail_size
from app.audit.verify_service import (
    Verification,
    kept_checkpoints,
    last_checkpoint,
    sign_checkpoint,
    verify,
)

__all__ = [
    "MARK",
    "AuditEvent",
    "AuditRow",
    "BundleInfo",
    "Checkpoint",
    "KeptEvent",
    "Search",
    "Verification",
    "against_trail",
    "begin_bundle",
    "erase",
    "facts_of",
    "find_events",
    "has_lately",
    "kept_checkpoints",
    "kept_event",
    "kept_events",
    "last_checkpoint",
    "mark_of",
    "read_checkpoint",
    "read_checkpoint_files",
    "record",
    "sign_checkpoint",
    "subjects_of",
    "trail_problems",
    "trail_size",
    "verify",
    "write_bundle",
]
