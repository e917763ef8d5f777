"""The list of rooms: their API, pages, commands and jobs are hung up here, and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping

from flask import Flask
from sqlalchemy.orm import Session

from app.allowance.api import allowance_api
from app.allowance.claim_api import claim_api
from app.allowance.claim_pages import claim_pages
from app.allowance.pages import allowance_pages
from app.allowlist.api import allowlist_api
from app.allowlist.cli import preview_command
from app.allowlist.pages import allowlist_pages
from app.apps.api import apps_api
from app.apps.pages import apps_pages
from app.audit.cli import audit_cli
from app.backup.cli import backup_cli, restore_command
from app.calldesk.api import calldesk_api
from app.calldesk.pages import calldesk_pages
from app.cli import installation_cli, scheduler_cli
from app.commands import CommandHooks
from app.commands.api import commands_api
from app.compliance.api import compliance_api
from app.compliance.exemption_api import exemption_api
from app.compliance.exemption_pages import exemption_pages
from app.compliance.pages import compliance_pages
from app.contracts.api import contracts_api
from app.contracts.assessment_pages import assessment_pages
from app.contracts.pages import contract_pages
from app.contracts.request_pages import request_pages
from app.contracts.request_verifying import check_request
from app.contracts.request_verifying import record_check as requests_check
from app.contracts.sheet_pages import sheet_pages
from app.contracts.verifying import check_subject as assessment_check
from app.contracts.verifying import record_check as assessments_check
from app.credchecks.api import rounds_api
from app.credchecks.case_pages import cases_pages
from app.credchecks.pages import rounds_pages
from app.credchecks.verifying import check_case as change_case_check
from app.credchecks.verifying import check_cases as change_cases_check
from app.credchecks.verifying import check_subject as round_check
from app.credchecks.verifying import record_check as rounds_check
from app.demo.cli import demo_cli
from app.duty.api import duty_api
from app.duty.pages import duty_pages
from app.escrow.api import escrow_api
from app.escrow.cli import escrow_cli
from app.escrow.lock_api import lock_api
from app.escrow.lock_hook import LockHook
from app.escrow.lock_pages import lock_pages
from app.escrow.own_pages import own_lock_pages
from app.escrow.pages import escrow_pages
from app.fleet.agent_api import agent_api
from app.fleet.api import fleet_api
from app.fleet.cli import agents_cli
from app.guides.pages import guide_pages
from app.handover.api import handover_api
from app.handover.item_pages import item_pages
from app.handover.leg_pages import leg_pages
from app.handover.pages import handover_pages
from app.handover.sign_pages import sign_pages
from app.handover.verifying import check_subject as handover_leg_check
from app.handover.verifying import record_check as handover_check
from app.hardware.api import hardware_api
from app.hardware.case_pages import case_pages as hardware_case_pages
from app.hardware.pages import hardware_pages
from app.hardware.verifying import check_case as hardware_case_check
from app.hardware.verifying import record_check as hardware_check
from app.health import health_pages
from app.history.api import history_api
from app.history.pages import history_pages
from app.http.access import undeclared_routes
from app.http.api import Api, Blueprint
from app.http.docs import docs_pages
from app.http.openapi import register_openapi
from app.incidents.api import incidents_api
from app.incidents.cli import incidents_cli
from app.incidents.pages import incident_pages
from app.kernel.blobs import BlobStore
from app.kernel.db import db
from app.kernel.jobs import Job, OutsideJob
from app.kernel.keys import KeyStore
from app.notify.api import notify_api
from app.notify.inbox_pages import inbox_pages
from app.notify.pages import notify_pages
from app.observers.api import observers_api
from app.observers.pages import observers_pages
from app.overview.command_pages import command_pages
from app.overview.gateway_pages import gateway_pages
from app.overview.identify_pages import identify_pages
from app.overview.own_pages import own_pages
from app.overview.pages import overview_pages
from app.papers.api import papers_api
from app.papers.check_pages import check_pages
from app.papers.checking import SubjectCheck
from app.papers.checking import record_check as papers_check
from app.papers.cli import papers_cli
from app.papers.pages import paper_pages
from app.people.api import users_api
from app.people.cli import users_cli
from app.people.pages import people_pages
from app.policy.api import policy_api
from app.policy.cli import policies_cli
from app.probes.api import probes_api
from app.probes.pages import probes_pages
from app.registry.api import registry_api
from app.registry.edit_pages import edit_pages
from app.registry.file_api import files_api
from app.registry.pages import registry_pages
from app.remedy.api import remedy_api
from app.remedy.hook import RemedyHook
from app.remedy.pages import remedy_pages
from app.reports.api import reports_api
from app.reports.pages import reports_pages
from app.reports.public_pages import public_pages
from app.runtime import EXTENSION, HOOKS
from app.session.me_pages import me_pages
from app.session.pages import session_pages
from app.session.step_pages import step_pages
from app.tables import load_tables
from app.tasks.api import tasks_api
from app.tasks.pages import tasks_pages
from app.trail.api import trail_api
from app.trail.pages import trail_pages
from app.transfer import DiscardHook, StopHook, TransferHook
from app.transfer.agent_api import manifest_api
from app.transfer.api import transfers_api
from app.transfer.pages import transfer_pages
from app.transfer.verifying import check_transfer
from app.transfer.verifying import record_check as transfers_check
from app.uptime.api import uptime_api
from app.uptime.cli import uptime_cli
from app.wipe.act_pages import wipe_act_pages
from app.wipe.api import wipe_api
from app.wipe.certificate_pages import certificate_pages
from app.wipe.certificate_verifying import check_subject as wipe_check
from app.wipe.certificate_verifying import record_check as certificates_check
from app.wipe.hook import WipeHook
from app.wipe.inspect_hook import InspectHook
from app.wipe.inspection_api import inspection_api
from app.wipe.inspection_pages import inspection_pages
from app.wipe.pages import wipe_pages
from app.wipe.verifying import record_check as wipes_check

PAGES = (
    health_pages,
    docs_pages,
    session_pages,
    step_pages,
    me_pages,
    people_pages,
    overview_pages,
    identify_pages,
    own_pages,
    gateway_pages,
    command_pages,
    guide_pages,
    registry_pages,
    edit_pages,
    probes_pages,
    observers_pages,
    tasks_pages,
    inbox_pages,
    notify_pages,
    duty_pages,
    compliance_pages,
    exemption_pages,
    calldesk_pages,
    reports_pages,
    public_pages,
    incident_pages,
    allowance_pages,
    claim_pages,
    escrow_pages,
    rounds_pages,
    cases_pages,
    lock_pages,
    own_lock_pages,
    trail_pages,
    contract_pages,
    sheet_pages,
    assessment_pages,
    request_pages,
    check_pages,
    paper_pages,
    history_pages,
    handover_pages,
    hardware_pages,
    hardware_case_pages,
    leg_pages,
    item_pages,
    sign_pages,
    transfer_pages,
    wipe_pages,
    wipe_act_pages,
    inspection_pages,
    certificate_pages,
    apps_pages,
    allowlist_pages,
    remedy_pages,
)
APIS: tuple[Blueprint, ...] = (
    registry_api,
    files_api,
    commands_api,
    fleet_api,
    agent_api,
    policy_api,
    uptime_api,
    compliance_api,
    exemption_api,
    users_api,
    probes_api,
    observers_api,
    tasks_api,
    notify_api,
    duty_api,
    calldesk_api,
    reports_api,
    incidents_api,
    allowance_api,
    claim_api,
    escrow_api,
    lock_api,
    trail_api,
    contracts_api,
    papers_api,
    history_api,
    rounds_api,
    handover_api,
    hardware_api,
    manifest_api,
    transfers_api,
    wipe_api,
    inspection_api,
    apps_api,
    allowlist_api,
    remedy_api,
)
COMMANDS = (
    users_cli,
    agents_cli,
    audit_cli,
    backup_cli,
    restore_command,
    escrow_cli,
    papers_cli,
    policies_cli,
    uptime_cli,
    incidents_cli,
    installation_cli,
    scheduler_cli,
    demo_cli,
)


def register_rooms(app: Flask) -> None:
    """Raise `RuntimeError` for a route that does not declare who may call it."""
    load_tables()
    if (
        os.environ.get("FLASK_RUN_FROM_CLI") == "true"
        or app.extensions[EXTENSION].settings.environment == "test"
    ):
        # Only the command line migrates: elsewhere the library would take 11 MB in every process.
        from flask_migrate import Migrate

        Migrate(app, db, directory="migrations", render_as_batch=True)
    app.extensions[HOOKS] = command_hooks()
    api = Api(app)
    for blueprint in APIS:
        api.register_blueprint(blueprint)
    register_openapi(app, api)
    for pages in PAGES:
        app.register_blueprint(pages)
    # A room above the policies' own, so it joins their group from here.
    policies_cli.add_command(preview_command)
    for command in COMMANDS:
        app.cli.add_command(command)
    missing = undeclared_routes(app)
    if missing:
        raise RuntimeError("routes that declare nobody who may call them: " + ", ".join(missing))


def command_hooks() -> CommandHooks:
    """What each room does when a command of its kind leaves, is answered, or ends unanswered."""
    lock, remedy = LockHook(), RemedyHook()
    return {
        "check_lock": lock,
        "set_lock": lock,
        "transfer_data": TransferHook(),
        "discard_copy": DiscardHook(),
        "stop_transfer": StopHook(),
        "wipe_phone": WipeHook(),
        "inspect_phone": InspectHook(),
        "remove_app": remedy,
        "restore_app": remedy,
    }


RecordCheck = Callable[[Session, BlobStore, KeyStore], Iterator[str]]
"""Holds rows and files against what was signed and noted; one sentence for each problem, none when all is whole."""


def record_checks() -> list[RecordCheck]:
    """What `flask audit verify` runs after the chain: rows that other rooms keep, and that nobody may alter."""
    return [
        papers_check,
        handover_check,
        rounds_check,
        change_cases_check,
        hardware_check,
        assessments_check,
        requests_check,
        transfers_check,
        wipes_check,
        certificates_check,
    ]


def subject_checks() -> Mapping[str, SubjectCheck]:
    """The same for what one paper tells of, by the kind of its subject: the check page looks there too."""
    return {
        "handover_leg": handover_leg_check,
        "round": round_check,
        "change_case": change_case_check,
        "hardware_case": hardware_case_check,
        "contract_assessment": assessment_check,
        "replacement_request": check_request,
        "wipe": wipe_check,
        "transfer": check_transfer,
    }


def all_jobs() -> list[Job | OutsideJob]:
    from app.allowance.jobs import JOBS as ALLOWANCE_JOBS
    from app.allowlist.jobs import JOBS as ALLOWLIST_JOBS
    from app.apps.jobs import JOBS as APP_JOBS
    from app.calldesk.jobs import JOBS as CALLDESK_JOBS
    from app.commands.jobs import JOBS as COMMAND_JOBS
    from app.compliance.exemption_jobs import JOBS as EXEMPTION_JOBS
    from app.compliance.jobs import JOBS as COMPLIANCE_JOBS
    from app.contracts.jobs import JOBS as CONTRACT_JOBS
    from app.credchecks.jobs import JOBS as ROUND_JOBS
    from app.duty.jobs import JOBS as DUTY_JOBS
    from app.escrow.jobs import JOBS as ESCROW_JOBS
    from app.fleet.jobs import JOBS as FLEET_JOBS
    from app.handover.jobs import JOBS as HANDOVER_JOBS
    from app.hardware.jobs import JOBS as HARDWARE_JOBS
    from app.housekeeping import JOBS as KERNEL_JOBS
    from app.incidents.jobs import JOBS as INCIDENT_JOBS
    from app.notify.jobs import JOBS as NOTIFY_JOBS
    from app.observers.jobs import JOBS as OBSERVER_JOBS
    from app.people.jobs import JOBS as PEOPLE_JOBS
    from app.probes.jobs import JOBS as PROBE_JOBS
    from app.readings.jobs import JOBS as READING_JOBS
    from app.registry.jobs import JOBS as REGISTRY_JOBS
    from app.remedy.jobs import JOBS as REMEDY_JOBS
    from app.reports.jobs import JOBS as REPORT_JOBS
    from app.trail.jobs import JOBS as TRAIL_JOBS
    from app.transfer.jobs import JOBS as TRANSFER_JOBS
    from app.wipe.inspection_jobs import JOBS as INSPECTION_JOBS
    from app.wipe.jobs import JOBS as WIPE_JOBS

    return [
        *KERNEL_JOBS,
        *NOTIFY_JOBS,
        *DUTY_JOBS,
        *ALLOWANCE_JOBS,
        *REGISTRY_JOBS,
        *READING_JOBS,
        *APP_JOBS,
        *COMMAND_JOBS,
        *EXEMPTION_JOBS,
        *COMPLIANCE_JOBS,
        *FLEET_JOBS,
        *PEOPLE_JOBS,
        *OBSERVER_JOBS,
        *PROBE_JOBS,
        *CALLDESK_JOBS,
        *REPORT_JOBS,
        *ESCROW_JOBS,
        *ROUND_JOBS,
        *INCIDENT_JOBS,
        *HANDOVER_JOBS,
        *HARDWARE_JOBS,
        *TRAIL_JOBS,
        *CONTRACT_JOBS,
        *TRANSFER_JOBS,
        *WIPE_JOBS,
        *INSPECTION_JOBS,
        *ALLOWLIST_JOBS,
        *REMEDY_JOBS,
    ]
