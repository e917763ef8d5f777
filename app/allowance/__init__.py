"""The month's money (R02, U05): allowances, closed once and corrected in sight; receipts; payroll's sheet."""

from app.allowance.closing import close_month, closed_until, money_time, preview
from app.allowance.correcting import recheck
from app.allowance.tools import SUBJECT, Tools
from app.allowance.words import ACCOUNT as ACCOUNT_WORDS

__all__ = [
    "ACCOUNT_WORDS",
    "SUBJECT",
    "Tools",
    "close_month",
    "closed_until",
    "money_time",
    "preview",
    "recheck",
]
