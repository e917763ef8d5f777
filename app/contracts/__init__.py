"""R06, U04: what was agreed on for each number, when it ends, and what becomes of the phone then."""

from app.contracts.assessment_service import Signing, confirm, submit
from app.contracts.contract_service import contract_at, enter
from app.contracts.drafting_service import fill, open_assessment
from app.contracts.life import life_events
from app.contracts.model import NumberContract
from app.contracts.rules import ITEMS, Terms
from app.contracts.running import running_contract
from app.contracts.views import contracts_of_handset

__all__ = [
    "ITEMS",
    "NumberContract",
    "Signing",
    "Terms",
    "confirm",
    "contract_at",
    "contracts_of_handset",
    "enter",
    "fill",
    "life_events",
    "open_assessment",
    "running_contract",
    "submit",
]
