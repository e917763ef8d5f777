"""R06, U04: what was agreed on for each number, when it ends, and what becomes of the phone then."""

from app.contracts.contract_service import contract_at
from app.contracts.model import NumberContract

__all__ = ["NumberContract", "contract_at"]
