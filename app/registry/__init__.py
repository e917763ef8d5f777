"""The registry: organisation, people, households, handsets, numbers, WeChat accounts, and who held what when."""

from app.registry.catalogue import RESOURCES
from app.registry.centres import live_centres
from app.registry.columns import Header as SheetHeader
from app.registry.columns import sheet_fields
from app.registry.custody import Custody, held_by, history_in, history_of, holder_of, holders_of
from app.registry.exporting import hint, template_xlsx, write_xlsx
from app.registry.handsets import HandsetRef, find_handset, handsets_by_serial
from app.registry.hold_model import Hold
from app.registry.holds import hold, holds_on, release
from app.registry.import_service import apply as apply_import
from app.registry.import_service import find_import, kept_sheet, put_up, read_upload
from app.registry.importing import Importer
from app.registry.importing import RowIn as SheetRow
from app.registry.kinds import DATE as DATE_KIND
from app.registry.kinds import FEN as FEN_KIND
from app.registry.kinds import REF as REF_KIND
from app.registry.kinds import choice as choice_kind
from app.registry.kinds import note as note_kind
from app.registry.kinds import show as show_value
from app.registry.kinds import text as text_kind
from app.registry.kits import Kit, holding_of, kit_of
from app.registry.model import (
    Company,
    District,
    Employee,
    Grid,
    Handset,
    HandsetImei,
    Household,
    ImportFile,
    Number,
    Post,
    ServiceCentre,
    WeChatAccount,
)
from app.registry.references import References
from app.registry.resolving import resolve
from app.registry.resource import Field, Resource
from app.registry.rules import normal_e164, normal_imei, placeholder_serial
from app.registry.service import AdoptInput, adopt_handset, create, known_id
from app.registry.tie_service import end_tie, tie
from app.registry.tie_store import ties_of
from app.registry.ties import KitAssignment, PostHolding

__all__ = [
    "DATE_KIND",
    "FEN_KIND",
    "REF_KIND",
    "RESOURCES",
    "AdoptInput",
    "Company",
    "Custody",
    "District",
    "Employee",
    "Field",
    "Grid",
    "Handset",
    "HandsetImei",
    "HandsetRef",
    "Hold",
    "Household",
    "ImportFile",
    "Importer",
    "Kit",
    "KitAssignment",
    "Number",
    "Post",
    "PostHolding",
    "References",
    "Resource",
    "ServiceCentre",
    "SheetHeader",
    "SheetRow",
    "WeChatAccount",
    "adopt_handset",
    "apply_import",
    "choice_kind",
    "create",
    "end_tie",
    "find_handset",
    "find_import",
    "handsets_by_serial",
    "held_by",
    "hint",
    "history_in",
    "history_of",
    "hold",
    "holder_of",
    "holders_of",
    "holding_of",
    "holds_on",
    "kept_sheet",
    "kit_of",
    "known_id",
    "live_centres",
    "normal_e164",
    "normal_imei",
    "note_kind",
    "placeholder_serial",
    "put_up",
    "read_upload",
    "release",
    "resolve",
    "sheet_fields",
    "show_value",
    "template_xlsx",
    "text_kind",
    "tie",
    "ties_of",
    "write_xlsx",
]
