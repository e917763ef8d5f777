"""The command queue: orders about one phone each, leased to agents, with their results."""

from app.commands.hooks import CommandHook, CommandHooks, tell_ended
from app.commands.model import Command
from app.commands.rules import DANGER, KINDS, LOCK_CODES, CommandKind
from app.commands.schemas import ResultInput, parse_result
from app.commands.service import (
    Leased,
    apply_result,
    cancel,
    enqueue,
    expire_commands,
    get,
    give_up,
    held_by,
    lease,
    seal,
    waiting_handsets,
    wire_command,
)
from app.commands.states import ACTIVE, AT_AGENT, FINAL, State
from app.commands.views import active_counts, list_commands, of_key

__all__ = [
    "ACTIVE",
    "AT_AGENT",
    "DANGER",
    "FINAL",
    "KINDS",
    "LOCK_CODES",
    "Command",
    "CommandHook",
    "CommandHooks",
    "CommandKind",
    "Leased",
    "ResultInput",
    "State",
    "active_counts",
    "apply_result",
    "cancel",
    "enqueue",
    "expire_commands",
    "get",
    "give_up",
    "held_by",
    "lease",
    "list_commands",
    "of_key",
    "parse_result",
    "seal",
    "tell_ended",
    "waiting_handsets",
    "wire_command",
]
