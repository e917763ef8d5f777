"""Who answers for a phone in its custodian's place (N01), and what excuses it from being on."""

from app.duty.answering import answerable
from app.duty.delegations import Wanted, accept, propose
from app.duty.excuses import Filed, approve, file_excuse
from app.duty.facts import ExcuseFact, excuse_facts
from app.duty.listing import Standing, standing, to_answer

__all__ = [
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
