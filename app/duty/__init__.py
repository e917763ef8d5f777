"""Who answers for a phone in its custodian's place (N01), and what excuses it from being on."""

from app.duty.answering import answerable
from app.duty.delegations import Wanted, accept, propose
from app.duty.excuses import Filed, approve, file_excuse
from app.duty.facts import ExcuseFact, excuse_facts
from app.duty.listing import Standing, standing, to_answer
from app.duty.messages import REASONS as EXCUSE_REASONS
from app.duty.model import Delegation, Excuse
from app.duty.states import STATE_WORDS as DUTY_STATE_WORDS

__all__ = [
    "DUTY_STATE_WORDS",
    "EXCUSE_REASONS",
    "Delegation",
    "Excuse",
    "ExcuseFact",
    "Filed",
    "Standing",
    "Wanted",
    "accept",
    "answerable",
    "approve",
    "excuse_facts",
    "file_excuse",
    "propose",
    "standing",
    "to_answer",
]
