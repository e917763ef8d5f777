"""A file tried on today's fleet: as the company's policy, or as the layer of a district or a centre."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from app.allowlist import fleet_store
from app.allowlist.comparing import SUBJECT, Rules, rules_of
from app.allowlist.editing import with_lines
from app.allowlist.faults import in_chinese
from app.allowlist.yaml_text import read_yaml
from app.kernel.errors import FieldError, Invalid, NotFound
from app.policy import PolicyError, PolicyFiles, Proposal


@dataclass(frozen=True)
class Attempt:
    proposal: Proposal
    rules: Rules
    total: int


def read_attempt(
    session: Session, files: PolicyFiles, text: str, *, centre: str | None, district: str | None
) -> Attempt:
    """Raise `Invalid` naming the lines at fault, `NotFound` for no such place."""
    given = read_yaml(text)
    body = given.body
    proposal = Proposal(SUBJECT, "company", None, body)
    if centre is not None:
        place = fleet_store.centre_by_code(session, centre)
        proposal = replace(proposal, reach="centre", scope_id=place)
    elif district is not None:
        place = fleet_store.district_by_code(session, district)
        proposal = replace(proposal, reach="district", scope_id=place)
    elif "rule" not in body:
        # A layer over the company's file; a body of its own names its rule.
        proposal = replace(proposal, body=files.stacked(SUBJECT, [body]))
    if proposal.reach != "company" and proposal.scope_id is None:
        raise NotFound(f"没有编号为 {centre or district} 的服务中心或大区 / no such place")
    try:
        rules = rules_of(session, files, proposal)
    except PolicyError as exc:
        faults = [FieldError("body", problem, in_chinese(problem)) for problem in exc.problems]
        raise with_lines(Invalid("不符合制度的格式 / it would not be valid", fields=faults), given) from exc
    return Attempt(proposal, rules, fleet_store.count_phones(session, rules.after))
