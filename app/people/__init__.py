"""Users, what each may do where, who stands in for whom, and how they prove who they are."""

from app.people.brake_service import check_keys, code_keys, sign_in_keys, take_try, was_right
from app.people.factor_service import (
    begin_enrolment,
    check_code,
    confirm_enrolment,
    drop_factor,
    renew_recovery_codes,
    waiting_secret,
    wrong_code,
)
from app.people.key_rules import Stage, factor_uri
from app.people.key_store import touch_session, touch_token
from app.people.limits_rules import Limits, limits_of
from app.people.model import RoleGrant
from app.people.own_service import Own, own_things
from app.people.password_service import (
    check_password,
    has_own_password,
    prove,
    renew_hash,
    set_known_password,
    set_password,
)
from app.people.rules import ROLE_WORDS
from app.people.service import (
    actor_of_login,
    actors_named,
    names_of,
    principal_of,
    user_of_employee,
    users_with,
)
from app.people.session_service import SignedIn, begin_session, end_session, find_session, let_in
from app.people.token_service import TokenCaller, caller_of_token, make_token, revoke_token
from app.people.user_service import By, UserInput, create_user, get_user, grant, note, user_exists
from app.people.words import browser, role_words

__all__ = [
    "ROLE_WORDS",
    "By",
    "Limits",
    "Own",
    "RoleGrant",
    "SignedIn",
    "Stage",
    "TokenCaller",
    "UserInput",
    "actor_of_login",
    "actors_named",
    "begin_enrolment",
    "begin_session",
    "browser",
    "caller_of_token",
    "check_code",
    "check_keys",
    "check_password",
    "code_keys",
    "confirm_enrolment",
    "create_user",
    "drop_factor",
    "end_session",
    "factor_uri",
    "find_session",
    "get_user",
    "grant",
    "has_own_password",
    "let_in",
    "limits_of",
    "make_token",
    "names_of",
    "note",
    "own_things",
    "principal_of",
    "prove",
    "renew_hash",
    "renew_recovery_codes",
    "revoke_token",
    "role_words",
    "set_known_password",
    "set_password",
    "sign_in_keys",
    "take_try",
    "touch_session",
    "touch_token",
    "user_exists",
    "user_of_employee",
    "users_with",
    "waiting_secret",
    "was_right",
    "wrong_code",
]
