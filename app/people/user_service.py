"""What an administrator does with users: make them, change them, give and end roles, send a deputy, reset."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.kernel.errors import Conflict, FieldError, Invalid, NotFound, Stale
from app.kernel.tenancy import ROLES
from app.people import factor_service, key_store, password_service, store
from app.people.model import Deputy, RoleGrant, User
from app.people.rules import Right
from app.registry import Employee, ServiceCentre

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{1,62}")
_MAX_NAME = 100
MAX_DEPUTY = dt.timedelta(days=366)


@dataclass(frozen=True)
class By:
    """Who does it, when and from where: for the audit trail."""

    actor: str
    now: dt.datetime
    ip: str = ""


@dataclass(frozen=True)
class UserInput:
    login: str
    name: str
    employee_id: uuid.UUID | None = None


def create_user(session: Session, given: UserInput, by: By) -> tuple[User, str]:
    """The user, and the password for his first sign-in. Raise `Invalid`, or `Conflict` for a login that is taken."""
    login = given.login.strip().lower()
    if not _LOGIN.fullmatch(login):
        raise _invalid("login", "2 至 63 位小写字母、数字和 . _ @ -，以字母或数字开头")
    if store.user_by_login(session, login) is not None:
        raise Conflict(f"登录名 {login} 已经有人用了", code="login_taken")
    user = User(
        login=login, name=_name(given.name), employee_id=_employee(session, given.employee_id, None),
        created_at=by.now, updated_at=by.now,
    )  # fmt: skip
    session.add(user)
    session.flush()
    password = password_service.give_one_time(session, user, by.now)
    note(session, "create", user.id, by, login=login)
    return user, password


def change_user(
    session: Session, user_id: uuid.UUID, by: By, *, name: str, employee_id: uuid.UUID | None, version: int
) -> User:
    """Raise `Stale` when somebody else changed him meanwhile."""
    user = get_user(session, user_id)
    if user.version != version:
        raise Stale("别人刚刚修改了这个用户，请重新打开 / somebody changed this user meanwhile")
    user.name, user.employee_id = _name(name), _employee(session, employee_id, user.id)
    user.version, user.updated_at = user.version + 1, by.now
    session.flush()
    note(session, "change", user.id, by)
    return user


def set_active(session: Session, user_id: uuid.UUID, by: By, *, active: bool) -> User:
    """Deactivating ends his sessions and tokens at once. Raise `Conflict` for the last administrator."""
    user = get_user(session, user_id)
    if not active:
        _keep_an_admin(session, by.now, without_user=user_id)
        end_everything(session, user_id, by.now)
    user.active, user.version, user.updated_at = active, user.version + 1, by.now
    session.flush()
    note(session, "activate" if active else "deactivate", user.id, by)
    return user


def grant(session: Session, user_id: uuid.UUID, role: str, centre_id: uuid.UUID | None, by: By) -> RoleGrant:
    """Give a role from now on. Raise `Invalid`, or `Conflict` when he has it there."""
    user = get_user(session, user_id)
    _check_right(session, role, centre_id)
    if any((g.role, g.centre_id) == (role, centre_id) for g in store.grants_at(session, [user.id], by.now)):
        raise Conflict("他已经有这个角色", code="has_role")
    row = RoleGrant(user_id=user.id, role=role, centre_id=centre_id, valid_from=by.now)
    session.add(row)
    session.flush()
    note(session, "grant", user.id, by, role=role, centre=str(centre_id or ""))
    return row


def end_grant(session: Session, grant_id: uuid.UUID, by: By) -> RoleGrant:
    """Raise `Conflict` for the role of the last administrator, who could never get it back."""
    row = session.get(RoleGrant, grant_id)
    if row is None:
        raise NotFound("没有这项角色 / no such role")
    if row.valid_to is not None and row.valid_to <= by.now:
        raise Conflict("这项角色已经结束", code="ended")
    if row.role == "admin":
        _keep_an_admin(session, by.now, without_grant=row.id)
    if row.valid_from >= by.now:
        session.delete(row)
    else:
        row.valid_to = by.now
    session.flush()
    note(session, "end_grant", row.user_id, by, role=row.role, centre=str(row.centre_id or ""))
    return row


def send_deputy(
    session: Session, user_id: uuid.UUID, deputy_id: uuid.UUID, right: Right, start: dt.datetime,
    end: dt.datetime, by: By,
) -> Deputy:  # fmt: skip
    """`deputy_id` stands in for `user_id` from `start` until `end`. Raise `Invalid`."""
    get_user(session, user_id)
    deputy = get_user(session, deputy_id)
    if user_id == deputy_id:
        raise _invalid("deputy_id", "不能代理自己")
    if not deputy.active:
        raise _invalid("deputy_id", "代理人已停用")
    _check_right(session, right.role, right.centre)
    if not by.now < end <= start + MAX_DEPUTY or end <= start:
        raise _invalid("valid_to", f"结束时间须晚于开始和现在，最长 {MAX_DEPUTY.days} 天")
    row = Deputy(
        user_id=user_id, deputy_id=deputy_id, role=right.role, centre_id=right.centre, valid_from=start,
        valid_to=end, created_by=by.actor, created_at=by.now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    note(session, "deputy", user_id, by, deputy=str(deputy_id), role=right.role)
    return row


def end_deputy(session: Session, row_id: uuid.UUID, by: By) -> Deputy:
    row = session.get(Deputy, row_id)
    if row is None or row.valid_to <= by.now:
        raise NotFound("没有这项代理，或已结束 / no such deputy, or over")
    if row.valid_from >= by.now:
        session.delete(row)
    else:
        row.valid_to = by.now
    session.flush()
    note(session, "end_deputy", row.user_id, by, deputy=str(row.deputy_id), role=row.role)
    return row


def reset_password(session: Session, user_id: uuid.UUID, by: By) -> str:
    """A one-time password to hand over; whoever knew the old one is out: sessions and tokens end."""
    user = get_user(session, user_id)
    password = password_service.give_one_time(session, user, by.now)
    end_everything(session, user_id, by.now)
    note(session, "reset_password", user_id, by)
    return password


def reset_factor(session: Session, user_id: uuid.UUID, by: By) -> None:
    """For a lost authenticator: he enrols anew at his next sign-in."""
    get_user(session, user_id)
    factor_service.drop_factor(session, user_id)
    end_everything(session, user_id, by.now)
    note(session, "reset_factor", user_id, by)


def end_everything(session: Session, user_id: uuid.UUID, now: dt.datetime) -> None:
    key_store.end_sessions(session, user_id, now)
    key_store.revoke_tokens(session, user_id, now)


def get_user(session: Session, user_id: uuid.UUID) -> User:
    user = store.find_user(session, user_id)
    if user is None:
        raise NotFound("没有这个用户 / no such user")
    return user


def user_exists(session: Session, login: str) -> bool:
    return store.user_by_login(session, login) is not None


def user_by_login(session: Session, login: str) -> User:
    user = store.user_by_login(session, login.strip().lower())
    if user is None:
        raise NotFound("没有这个登录名 / no such login")
    return user


def note(session: Session, verb: str, user_id: uuid.UUID, by: By, **details: Any) -> None:
    entry = AuditEvent(at=by.now, actor=by.actor, action=f"user.{verb}", object=f"user:{user_id}", ip=by.ip)
    record(session, AuditEvent(**{**vars(entry), "details": details}))


def _keep_an_admin(
    session: Session,
    now: dt.datetime,
    *,
    without_user: uuid.UUID | None = None,
    without_grant: uuid.UUID | None = None,
) -> None:
    held = store.admin_grants(session, now)
    left = [g for g in held if g.user_id != without_user and g.id != without_grant]
    if held and not left:
        raise Conflict("这是最后一名系统管理员，请先让另一人担任", code="last_admin")


def _check_right(session: Session, role: str, centre_id: uuid.UUID | None) -> None:
    if role not in ROLES:
        raise _invalid("role", "没有这个角色")
    if role == "admin" and centre_id is not None:
        raise _invalid("centre_id", "系统管理员只能是全公司的")
    if role == "butler" and centre_id is None:
        raise _invalid("centre_id", "管家属于一个服务中心")
    if centre_id is not None and session.get(ServiceCentre, centre_id) is None:
        raise _invalid("centre_id", "没有这个服务中心")


def _employee(session: Session, employee_id: uuid.UUID | None, user_id: uuid.UUID | None) -> uuid.UUID | None:
    if employee_id is None:
        return None
    if session.get(Employee, employee_id) is None:
        raise _invalid("employee_id", "没有这名员工")
    taken = store.any_user_of_employee(session, employee_id)
    if taken is not None and taken != user_id:
        raise Conflict("这名员工已经有登录名了", code="employee_taken")
    return employee_id


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not 1 <= len(name) <= _MAX_NAME or not name.isprintable():
        raise _invalid("name", f"请填写姓名，最多 {_MAX_NAME} 个字")
    return name


def _invalid(field: str, message: str) -> Invalid:
    return Invalid(message, fields=[FieldError(field, "invalid", message)])
