"""The registry: organisation, people, households, handsets, numbers, WeChat accounts, and who held what when."""

from app.registry.catalogue import RESOURCES
from app.registry.centres import live_centres
from app.registry.custody import Custody, held_by, history_in, history_of, holder_of, holders_of
from app.registry.handsets import HandsetRef, find_handset, handsets_by_serial
from app.registry.hold_model import Hold
from app.registry.holds import hold, holds_on, release
from app.registry.kits import Kit, holding_of, kit_of
from app.registry.model import (
    Company,
    District,
    Employee,
    Grid,
    Handset,
    HandsetImei,
    Household,
    Number,
    Post,
    ServiceCentre,
    WeChatAccount,
)
from app.registry.rules import normal_e164, normal_imei, placeholder_serial
from app.registry.service import AdoptInput, adopt_handset, create, known_id
from app.registry.tie_service import end_tie, tie
from app.registry.tie_store import ties_of
from app.registry.ties import KitAssignment, PostHolding

__all__ = [
    "RESOURCES",
    "AdoptInput",
    "Company",
    "Custody",
    "District",
    "Employee",
    "Grid",
    "Handset",
    "HandsetImei",
    "HandsetRef",
    "Hold",
    "Household",
    "Kit",
    "KitAssignment",
    "Number",
    "Post",
    "PostHolding",
    "ServiceCentre",
    "WeChatAccount",
    "adopt_handset",
    "create",
    "end_tie",
    "find_handset",
    "handsets_by_serial",
    "held_by",
    "history_in",
    "history_of",
    "hold",
    "holder_of",
    "holders_of",
    "holding_of",
    "holds_on",
    "kit_of",
    "known_id",
    "live_centres",
    "normal_e164",
    "normal_imei",
    "placeholder_serial",
    "release",
    "tie",
    "ties_of",
]
