"""Users, what each may do where, who stands in for whom, and how they prove who they are."""

from app.people.rules import ROLE_WORDS
from app.people.service import names_of, principal_of, user_of_employee, users_with
from app.people.token_service import TokenCaller, caller_of_token, make_token

__all__ = [
    "ROLE_WORDS",
    "TokenCaller",
    "caller_of_token",
    "make_token",
    "names_of",
    "principal_of",
    "user_of_employee",
    "users_with",
]
