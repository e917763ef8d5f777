"""Dial tests (拨测): which phones a person is to call, by lot or because of a suspicion, and what he heard."""

from app.dialling.draw_service import draw_centre, lapse_centre
from app.dialling.model import DialCall, DialTest
from app.dialling.rules import RESULTS, SOURCES, WITHDRAWN
from app.dialling.service import (
    DialFact,
    add_call,
    ask_dial,
    correct,
    dial_facts,
    drop_call,
    record_result,
    undo,
)
from app.dialling.states import State as CallState
from app.dialling.views import (
    CallLine,
    Found,
    Heard,
    call_lines,
    calls_waiting,
    find_phones,
    list_tests,
    one_test,
)

__all__ = [
    "RESULTS",
    "SOURCES",
    "WITHDRAWN",
    "CallLine",
    "CallState",
    "DialCall",
    "DialFact",
    "DialTest",
    "Found",
    "Heard",
    "add_call",
    "ask_dial",
    "call_lines",
    "calls_waiting",
    "correct",
    "dial_facts",
    "draw_centre",
    "drop_call",
    "find_phones",
    "lapse_centre",
    "list_tests",
    "one_test",
    "record_result",
    "undo",
]
