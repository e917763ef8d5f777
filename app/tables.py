"""Every module that maps a table: imported for its effect, so that migrations and tests see the whole schema."""

from __future__ import annotations

from importlib import import_module

MODEL_MODULES = (
    "app.kernel.blobs",
    "app.kernel.idempotency",
    "app.kernel.installation",
    "app.kernel.outbox",
    "app.audit.model",
    "app.people.model",
    "app.people.key_model",
    "app.policy.model",
    "app.registry.model",
    "app.registry.ties",
    "app.registry.hold_model",
    "app.ledger.model",
    "app.readings.model",
    "app.commands.model",
    "app.fleet.model",
    "app.uptime.model",
    "app.compliance.model",
    "app.compliance.exemption_model",
    "app.observers.model",
    "app.probes.model",
    "app.tasks.model",
    "app.notify.model",
    "app.duty.model",
    "app.dialling.model",
    "app.reports.model",
    "app.incidents.model",
    "app.allowance.model",
    "app.escrow.model",
    "app.escrow.lock_model",
    "app.hardware.model",
    "app.papers.model",
    "app.credchecks.model",
    "app.handover.model",
    "app.contracts.model",
    "app.wipe.model",
    "app.wipe.inspection_model",
    "app.transfer.model",
    "app.allowlist.model",
    "app.apps.model",
    "app.remedy.model",
)


def load_tables() -> None:
    for name in MODEL_MODULES:
        import_module(name)
