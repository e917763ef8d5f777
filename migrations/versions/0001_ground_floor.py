"""ground floor"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_event",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=False),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("object", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("details", sa.Text(), nullable=True),
        sa.Column("salt", sa.LargeBinary(length=16), nullable=True),
        sa.Column("details_commit", sa.LargeBinary(length=32), nullable=False),
        sa.Column("prev_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_event")),
    )
    with op.batch_alter_table("audit_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_event_action"), ["action"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_event_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_event_centre_id"), ["centre_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_event_object"), ["object"], unique=False)

    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "blob",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_blob")),
    )
    op.create_table(
        "company",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company")),
        sa.UniqueConstraint("name", name=op.f("uq_company_name")),
    )
    op.create_table(
        "idempotency",
        sa.Column("principal", sa.String(length=100), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", sa.String(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("principal", "key", name=op.f("pk_idempotency")),
    )
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_created_at"), ["created_at"], unique=False)

    op.create_table(
        "import_file",
        sa.Column("resource", sa.String(length=40), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("applied_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.JSON(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_file")),
    )
    with op.batch_alter_table("import_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_import_file_created_at"), ["created_at"], unique=False)

    op.create_table(
        "installation",
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.create_table(
        "installation_key",
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("purpose", name=op.f("pk_installation_key")),
    )
    op.create_table(
        "outbox",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=True),
        sa.Column("topic", sa.String(length=80), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_key")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_due", ["sent_at", "due_at"], unique=False)

    op.create_table(
        "policy_layer",
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("scope", sa.String(length=10), nullable=False),
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("scope IN ('district', 'centre')", name=op.f("ck_policy_layer_scope")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_layer")),
        sa.UniqueConstraint(
            "subject",
            "scope",
            "scope_id",
            "version",
            name=op.f("uq_policy_layer_subject_scope_scope_id_version"),
        ),
    )
    with op.batch_alter_table("policy_layer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_policy_layer_scope_id"), ["scope_id"], unique=False)

    op.create_table(
        "district",
        sa.Column("company_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_district_company_id_company")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_district")),
        sa.UniqueConstraint("code", name=op.f("uq_district_code")),
    )
    op.create_table(
        "service_centre",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["district_id"], ["district.id"], name=op.f("fk_service_centre_district_id_district")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_centre")),
        sa.UniqueConstraint("code", name=op.f("uq_service_centre_code")),
    )
    with op.batch_alter_table("service_centre", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_service_centre_district_id"), ["district_id"], unique=False)

    op.create_table(
        "employee",
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["centre_id"], ["service_centre.id"], name=op.f("fk_employee_centre_id_service_centre")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_employee")),
        sa.UniqueConstraint("number", name=op.f("uq_employee_number")),
    )
    with op.batch_alter_table("employee", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_employee_centre_id"), ["centre_id"], unique=False)

    op.create_table(
        "grid",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["centre_id"], ["service_centre.id"], name=op.f("fk_grid_centre_id_service_centre")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grid")),
        sa.UniqueConstraint("centre_id", "code", name=op.f("uq_grid_centre_id_code")),
    )
    with op.batch_alter_table("grid", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_grid_centre_id"), ["centre_id"], unique=False)

    op.create_table(
        "handset",
        sa.Column("asset_tag", sa.String(length=60), nullable=False),
        sa.Column("serial", sa.String(length=64), nullable=False),
        sa.Column("brand", sa.String(length=60), nullable=False),
        sa.Column("model", sa.String(length=100), nullable=False),
        sa.Column("specification", sa.JSON(), nullable=False),
        sa.Column("purchased_on", sa.Date(), nullable=True),
        sa.Column("price_fen", sa.BigInteger(), nullable=True),
        sa.Column("supplier", sa.String(length=200), nullable=True),
        sa.Column("way_back", sa.String(length=10), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["centre_id"], ["service_centre.id"], name=op.f("fk_handset_centre_id_service_centre")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handset")),
        sa.UniqueConstraint("asset_tag", name=op.f("uq_handset_asset_tag")),
        sa.UniqueConstraint("serial", name=op.f("uq_handset_serial")),
    )
    with op.batch_alter_table("handset", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_handset_centre_id"), ["centre_id"], unique=False)

    op.create_table(
        "number",
        sa.Column("e164", sa.String(length=16), nullable=False),
        sa.Column("carrier", sa.String(length=40), nullable=True),
        sa.Column("plan_type", sa.String(length=20), nullable=True),
        sa.Column("iccid", sa.String(length=20), nullable=True),
        sa.Column("real_name", sa.String(length=200), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["centre_id"], ["service_centre.id"], name=op.f("fk_number_centre_id_service_centre")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_number")),
        sa.UniqueConstraint("e164", name=op.f("uq_number_e164")),
        sa.UniqueConstraint("iccid", name=op.f("uq_number_iccid")),
    )
    with op.batch_alter_table("number", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_number_centre_id"), ["centre_id"], unique=False)

    op.create_table(
        "sighting",
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("serial", sa.String(length=64), nullable=False),
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        sa.Column("target", sa.String(length=200), nullable=False),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["centre_id"], ["service_centre.id"], name=op.f("fk_sighting_centre_id_service_centre")
        ),
        sa.PrimaryKeyConstraint("centre_id", "serial", name=op.f("pk_sighting")),
    )
    with op.batch_alter_table("sighting", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sighting_last_seen_at"), ["last_seen_at"], unique=False)

    op.create_table(
        "agent",
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("handset_id", sa.Uuid(), nullable=True),
        sa.Column("ed25519", sa.LargeBinary(length=32), nullable=False),
        sa.Column("x25519", sa.LargeBinary(length=32), nullable=False),
        sa.Column("enrolled_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("last_checkin_at", sa.BigInteger(), nullable=True),
        sa.Column("spooled", sa.Integer(), nullable=True),
        sa.Column("targets", sa.Integer(), nullable=True),
        sa.Column("adb_server", sa.Boolean(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_by", sa.String(length=200), nullable=True),
        sa.Column("revoke_reason", sa.Text(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'self') = (handset_id IS NOT NULL)", name=op.f("ck_agent_self_has_a_phone")
        ),
        sa.CheckConstraint("kind IN ('gateway', 'self')", name=op.f("ck_agent_kind")),
        sa.ForeignKeyConstraint(
            ["centre_id"], ["service_centre.id"], name=op.f("fk_agent_centre_id_service_centre")
        ),
        sa.ForeignKeyConstraint(["handset_id"], ["handset.id"], name=op.f("fk_agent_handset_id_handset")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent")),
        sa.UniqueConstraint("ed25519", name=op.f("uq_agent_ed25519")),
    )
    with op.batch_alter_table("agent", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_agent_centre_id"), ["centre_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_agent_handset_id"), ["handset_id"], unique=False)

    op.create_table(
        "app_user",
        sa.Column("login", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("employee_id", sa.Uuid(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["employee_id"], ["employee.id"], name=op.f("fk_app_user_employee_id_employee")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_user")),
        sa.UniqueConstraint("employee_id", name=op.f("uq_app_user_employee_id")),
        sa.UniqueConstraint("login", name=op.f("uq_app_user_login")),
    )
    op.create_table(
        "command",
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("handset_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("args", sa.JSON(), nullable=False),
        sa.Column("dedup_key", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.Uuid(), nullable=True),
        sa.Column("leased_at", sa.BigInteger(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("not_now_first_at", sa.BigInteger(), nullable=True),
        sa.Column("not_now_times", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("result", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('queued', 'leased', 'running', 'succeeded', 'failed', 'not_now', 'expired', 'cancelled', 'superseded')",
            name=op.f("ck_command_state"),
        ),
        sa.ForeignKeyConstraint(
            ["centre_id"], ["service_centre.id"], name=op.f("fk_command_centre_id_service_centre")
        ),
        sa.ForeignKeyConstraint(["handset_id"], ["handset.id"], name=op.f("fk_command_handset_id_handset")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_command")),
    )
    with op.batch_alter_table("command", schema=None) as batch_op:
        batch_op.create_index("ix_command_centre", ["centre_id", "state", "due_at"], unique=False)
        batch_op.create_index("ix_command_finished", ["finished_at"], unique=False)
        batch_op.create_index("ix_command_handset", ["handset_id", "created_at"], unique=False)
        batch_op.create_index(
            "uq_command_active_dedup",
            ["handset_id", "dedup_key"],
            unique=True,
            postgresql_where=sa.text("state IN ('queued', 'not_now', 'leased', 'running')"),
            sqlite_where=sa.text("state IN ('queued', 'not_now', 'leased', 'running')"),
        )

    op.create_table(
        "compliance_change",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("handset_id", sa.Uuid(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("policy_sha256", sa.String(length=64), nullable=False),
        sa.Column("inputs_sha256", sa.String(length=64), nullable=False),
        sa.CheckConstraint("status IN ('pass', 'fail', 'unknown')", name=op.f("ck_compliance_change_status")),
        sa.ForeignKeyConstraint(
            ["centre_id"], ["service_centre.id"], name=op.f("fk_compliance_change_centre_id_service_centre")
        ),
        sa.ForeignKeyConstraint(
            ["handset_id"], ["handset.id"], name=op.f("fk_compliance_change_handset_id_handset")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_compliance_change")),
    )
    with op.batch_alter_table("compliance_change", schema=None) as batch_op:
        batch_op.create_index("ix_compliance_change_handset", ["handset_id", "id"], unique=False)

    op.create_table(
        "compliance_verdict",
        sa.Column("handset_id", sa.Uuid(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("judged_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("policy_sha256", sa.String(length=64), nullable=False),
        sa.Column("inputs_sha256", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "status IN ('pass', 'fail', 'unknown')", name=op.f("ck_compliance_verdict_status")
        ),
        sa.ForeignKeyConstraint(
            ["centre_id"], ["service_centre.id"], name=op.f("fk_compliance_verdict_centre_id_service_centre")
        ),
        sa.ForeignKeyConstraint(
            ["handset_id"], ["handset.id"], name=op.f("fk_compliance_verdict_handset_id_handset")
        ),
        sa.PrimaryKeyConstraint("handset_id", name=op.f("pk_compliance_verdict")),
    )
    with op.batch_alter_table("compliance_verdict", schema=None) as batch_op:
        batch_op.create_index("ix_compliance_verdict_status", ["centre_id", "status"], unique=False)

    op.create_table(
        "contact_failure",
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        sa.Column("target", sa.String(length=200), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("handset_id", sa.Uuid(), nullable=True),
        sa.Column("serial", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["centre_id"], ["service_centre.id"], name=op.f("fk_contact_failure_centre_id_service_centre")
        ),
        sa.ForeignKeyConstraint(
            ["handset_id"], ["handset.id"], name=op.f("fk_contact_failure_handset_id_handset")
        ),
        sa.PrimaryKeyConstraint("agent_id", "target", name=op.f("pk_contact_failure")),
    )
    with op.batch_alter_table("contact_failure", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_failure_handset_id"), ["handset_id"], unique=False)

    op.create_table(
        "handset_imei",
        sa.Column("imei", sa.String(length=15), nullable=False),
        sa.Column("handset_id", sa.Uuid(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["handset_id"], ["handset.id"], name=op.f("fk_handset_imei_handset_id_handset")
        ),
        sa.PrimaryKeyConstraint("imei", name=op.f("pk_handset_imei")),
        sa.UniqueConstraint("handset_id", "slot", name=op.f("uq_handset_imei_handset_id_slot")),
    )
    with op.batch_alter_table("handset_imei", schema=None) as batch_op:
        batch_op.create_index("ix_handset_imei_handset", ["handset_id"], unique=False)

    op.create_table(
        "household",
        sa.Column("grid_id", sa.Uuid(), nullable=False),
        sa.Column("room", sa.String(length=60), nullable=False),
        sa.Column("owner_name", sa.String(length=100), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["centre_id"], ["service_centre.id"], name=op.f("fk_household_centre_id_service_centre")
        ),
        sa.ForeignKeyConstraint(["grid_id"], ["grid.id"], name=op.f("fk_household_grid_id_grid")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household")),
        sa.UniqueConstraint("centre_id", "room", name=op.f("uq_household_centre_id_room")),
    )
    with op.batch_alter_table("household", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_household_centre_id"), ["centre_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_household_grid_id"), ["grid_id"], unique=False)

    op.create_table(
        "ledger_entry",
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("employee_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("account", sa.String(length=40), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.String(length=10), nullable=False),
        sa.Column("cause", sa.String(length=200), nullable=False),
        sa.Column("reverses_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("booked_by", sa.String(length=200), nullable=False),
        sa.Column("booked_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount_fen <> 0", name=op.f("ck_ledger_entry_amount")),
        sa.ForeignKeyConstraint(
            ["centre_id"], ["service_centre.id"], name=op.f("fk_ledger_entry_centre_id_service_centre")
        ),
        sa.ForeignKeyConstraint(
            ["employee_id"], ["employee.id"], name=op.f("fk_ledger_entry_employee_id_employee")
        ),
        sa.ForeignKeyConstraint(
            ["reverses_id"], ["ledger_entry.id"], name=op.f("fk_ledger_entry_reverses_id_ledger_entry")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint("cause", name=op.f("uq_ledger_entry_cause")),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_ledger_entry_reverses_id")),
    )
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ledger_entry_centre_id"), ["centre_id"], unique=False)
        batch_op.create_index("ix_ledger_entry_employee", ["employee_id", "month"], unique=False)

    op.create_table(
        "phone_boot",
        sa.Column("handset_id", sa.Uuid(), nullable=False),
        sa.Column("boot_id", sa.Uuid(), nullable=False),
        sa.Column("grade", sa.String(length=10), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("count_low", sa.BigInteger(), nullable=True),
        sa.Column("count_high", sa.BigInteger(), nullable=True),
        sa.Column("started_earliest", sa.BigInteger(), nullable=True),
        sa.Column("started_latest", sa.BigInteger(), nullable=True),
        sa.Column("heard_first", sa.BigInteger(), nullable=True),
        sa.Column("read_last", sa.BigInteger(), nullable=True),
        sa.Column("uptime_us", sa.BigInteger(), nullable=True),
        sa.Column("open_us", sa.BigInteger(), nullable=True),
        sa.Column("shutdown_first_us", sa.BigInteger(), nullable=True),
        sa.Column("shutdown_last_us", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("grade IN ('gateway', 'self')", name=op.f("ck_phone_boot_grade")),
        sa.ForeignKeyConstraint(
            ["centre_id"], ["service_centre.id"], name=op.f("fk_phone_boot_centre_id_service_centre")
        ),
        sa.ForeignKeyConstraint(
            ["handset_id"], ["handset.id"], name=op.f("fk_phone_boot_handset_id_handset")
        ),
        sa.PrimaryKeyConstraint("handset_id", "boot_id", "grade", name=op.f("pk_phone_boot")),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "phone_power",
        sa.Column("handset_id", sa.Uuid(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("boot_id", sa.Uuid(), nullable=False),
        sa.Column("proof_last", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["centre_id"], ["service_centre.id"], name=op.f("fk_phone_power_centre_id_service_centre")
        ),
        sa.ForeignKeyConstraint(
            ["handset_id"], ["handset.id"], name=op.f("fk_phone_power_handset_id_handset")
        ),
        sa.PrimaryKeyConstraint("handset_id", name=op.f("pk_phone_power")),
        postgresql_with={"fillfactor": 50},
    )
    with op.batch_alter_table("phone_power", schema=None) as batch_op:
        batch_op.create_index("ix_phone_power_centre", ["centre_id"], unique=False)

    op.create_table(
        "phone_section",
        sa.Column("handset_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("tag", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["centre_id"], ["service_centre.id"], name=op.f("fk_phone_section_centre_id_service_centre")
        ),
        sa.ForeignKeyConstraint(
            ["handset_id"], ["handset.id"], name=op.f("fk_phone_section_handset_id_handset")
        ),
        sa.PrimaryKeyConstraint("handset_id", "name", name=op.f("pk_phone_section")),
    )
    op.create_table(
        "phone_state",
        sa.Column("handset_id", sa.Uuid(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=True),
        sa.Column("agent_id", sa.Uuid(), nullable=True),
        sa.Column("target", sa.String(length=200), nullable=True),
        sa.Column("grade", sa.String(length=10), nullable=True),
        sa.Column("boot_id", sa.String(length=36), nullable=True),
        sa.Column("boot_count", sa.Integer(), nullable=True),
        sa.Column("uptime_us", sa.BigInteger(), nullable=True),
        sa.Column("battery_percent", sa.Integer(), nullable=True),
        sa.Column("charging", sa.Boolean(), nullable=True),
        sa.Column("airplane_mode", sa.Boolean(), nullable=True),
        sa.Column("screen_on", sa.Boolean(), nullable=True),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("unread", sa.Text(), nullable=False),
        sa.Column("refused_identity", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["centre_id"], ["service_centre.id"], name=op.f("fk_phone_state_centre_id_service_centre")
        ),
        sa.ForeignKeyConstraint(
            ["handset_id"], ["handset.id"], name=op.f("fk_phone_state_handset_id_handset")
        ),
        sa.PrimaryKeyConstraint("handset_id", name=op.f("pk_phone_state")),
        postgresql_with={"fillfactor": 50},
    )
    with op.batch_alter_table("phone_state", schema=None) as batch_op:
        batch_op.create_index("ix_phone_state_agent", ["agent_id"], unique=False)

    op.create_table(
        "post",
        sa.Column("grid_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["centre_id"], ["service_centre.id"], name=op.f("fk_post_centre_id_service_centre")
        ),
        sa.ForeignKeyConstraint(["grid_id"], ["grid.id"], name=op.f("fk_post_grid_id_grid")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_post")),
        sa.UniqueConstraint("centre_id", "code", name=op.f("uq_post_centre_id_code")),
    )
    with op.batch_alter_table("post", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_post_centre_id"), ["centre_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_post_grid_id"), ["grid_id"], unique=False)

    op.create_table(
        "wechat_account",
        sa.Column("district_id", sa.Uuid(), nullable=False),
        sa.Column("wechat_id", sa.String(length=60), nullable=True),
        sa.Column("nickname", sa.String(length=60), nullable=False),
        sa.Column("number_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["centre_id"], ["service_centre.id"], name=op.f("fk_wechat_account_centre_id_service_centre")
        ),
        sa.ForeignKeyConstraint(
            ["district_id"], ["district.id"], name=op.f("fk_wechat_account_district_id_district")
        ),
        sa.ForeignKeyConstraint(
            ["number_id"], ["number.id"], name=op.f("fk_wechat_account_number_id_number")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wechat_account")),
        sa.UniqueConstraint("district_id", "nickname", name=op.f("uq_wechat_account_district_id_nickname")),
        sa.UniqueConstraint("number_id", name=op.f("uq_wechat_account_number_id")),
        sa.UniqueConstraint("wechat_id", name=op.f("uq_wechat_account_wechat_id")),
    )
    with op.batch_alter_table("wechat_account", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_wechat_account_centre_id"), ["centre_id"], unique=False)

    op.create_table(
        "agent_nonce",
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_agent_nonce_agent_id_agent")),
        sa.PrimaryKeyConstraint("agent_id", "nonce", name=op.f("pk_agent_nonce")),
    )
    with op.batch_alter_table("agent_nonce", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_agent_nonce_seen_at"), ["seen_at"], unique=False)

    op.create_table(
        "agent_request",
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_agent_request_agent_id_agent")),
        sa.PrimaryKeyConstraint("agent_id", "request_id", name=op.f("pk_agent_request")),
    )
    with op.batch_alter_table("agent_request", schema=None) as batch_op:
        batch_op.create_index("ix_agent_request_at", ["at"], unique=False)

    op.create_table(
        "deputy",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("deputy_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=True),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("user_id <> deputy_id", name=op.f("ck_deputy_other_person")),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_deputy_span")),
        sa.ForeignKeyConstraint(
            ["centre_id"], ["service_centre.id"], name=op.f("fk_deputy_centre_id_service_centre")
        ),
        sa.ForeignKeyConstraint(["deputy_id"], ["app_user.id"], name=op.f("fk_deputy_deputy_id_app_user")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_deputy_user_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deputy")),
    )
    with op.batch_alter_table("deputy", schema=None) as batch_op:
        batch_op.create_index("ix_deputy_deputy", ["deputy_id", "valid_from"], unique=False)

    op.create_table(
        "enrolment_token",
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=True),
        sa.Column("handset_id", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("agent_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_enrolment_token_agent_id_agent")),
        sa.ForeignKeyConstraint(
            ["centre_id"], ["service_centre.id"], name=op.f("fk_enrolment_token_centre_id_service_centre")
        ),
        sa.ForeignKeyConstraint(
            ["handset_id"], ["handset.id"], name=op.f("fk_enrolment_token_handset_id_handset")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_token")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_enrolment_token_token_sha256")),
    )
    with op.batch_alter_table("enrolment_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_enrolment_token_centre_id"), ["centre_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_enrolment_token_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "kit_assignment",
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("handset_id", sa.Uuid(), nullable=True),
        sa.Column("number_id", sa.Uuid(), nullable=True),
        sa.Column("wechat_account_id", sa.Uuid(), nullable=True),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("voided_at", sa.BigInteger(), nullable=True),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(CASE WHEN handset_id IS NULL THEN 0 ELSE 1 END + CASE WHEN number_id IS NULL THEN 0 ELSE 1 END + CASE WHEN wechat_account_id IS NULL THEN 0 ELSE 1 END) = 1",
            name=op.f("ck_kit_assignment_one_subject"),
        ),
        sa.CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_kit_assignment_span")),
        sa.ForeignKeyConstraint(
            ["centre_id"], ["service_centre.id"], name=op.f("fk_kit_assignment_centre_id_service_centre")
        ),
        sa.ForeignKeyConstraint(
            ["handset_id"], ["handset.id"], name=op.f("fk_kit_assignment_handset_id_handset")
        ),
        sa.ForeignKeyConstraint(
            ["number_id"], ["number.id"], name=op.f("fk_kit_assignment_number_id_number")
        ),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_kit_assignment_post_id_post")),
        sa.ForeignKeyConstraint(
            ["wechat_account_id"],
            ["wechat_account.id"],
            name=op.f("fk_kit_assignment_wechat_account_id_wechat_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kit_assignment")),
    )
    with op.batch_alter_table("kit_assignment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_kit_assignment_centre_id"), ["centre_id"], unique=False)
        batch_op.create_index("ix_kit_assignment_handset", ["handset_id", "valid_from"], unique=False)
        batch_op.create_index("ix_kit_assignment_number", ["number_id", "valid_from"], unique=False)
        batch_op.create_index("ix_kit_assignment_post", ["post_id", "valid_from"], unique=False)
        batch_op.create_index("ix_kit_assignment_wechat", ["wechat_account_id", "valid_from"], unique=False)

    op.create_table(
        "post_holding",
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("employee_id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("voided_at", sa.BigInteger(), nullable=True),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_post_holding_span")),
        sa.ForeignKeyConstraint(
            ["centre_id"], ["service_centre.id"], name=op.f("fk_post_holding_centre_id_service_centre")
        ),
        sa.ForeignKeyConstraint(
            ["employee_id"], ["employee.id"], name=op.f("fk_post_holding_employee_id_employee")
        ),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_post_holding_post_id_post")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_post_holding")),
    )
    with op.batch_alter_table("post_holding", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_post_holding_centre_id"), ["centre_id"], unique=False)
        batch_op.create_index("ix_post_holding_employee", ["employee_id", "valid_from"], unique=False)
        batch_op.create_index("ix_post_holding_post", ["post_id", "valid_from"], unique=False)

    op.create_table(
        "role_grant",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=True),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_role_grant_span")),
        sa.ForeignKeyConstraint(
            ["centre_id"], ["service_centre.id"], name=op.f("fk_role_grant_centre_id_service_centre")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_role_grant_user_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_grant")),
    )
    with op.batch_alter_table("role_grant", schema=None) as batch_op:
        batch_op.create_index("ix_role_grant_user", ["user_id", "valid_from"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("role_grant", schema=None) as batch_op:
        batch_op.drop_index("ix_role_grant_user")

    op.drop_table("role_grant")
    with op.batch_alter_table("post_holding", schema=None) as batch_op:
        batch_op.drop_index("ix_post_holding_post")
        batch_op.drop_index("ix_post_holding_employee")
        batch_op.drop_index(batch_op.f("ix_post_holding_centre_id"))

    op.drop_table("post_holding")
    with op.batch_alter_table("kit_assignment", schema=None) as batch_op:
        batch_op.drop_index("ix_kit_assignment_wechat")
        batch_op.drop_index("ix_kit_assignment_post")
        batch_op.drop_index("ix_kit_assignment_number")
        batch_op.drop_index("ix_kit_assignment_handset")
        batch_op.drop_index(batch_op.f("ix_kit_assignment_centre_id"))

    op.drop_table("kit_assignment")
    with op.batch_alter_table("enrolment_token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_enrolment_token_expires_at"))
        batch_op.drop_index(batch_op.f("ix_enrolment_token_centre_id"))

    op.drop_table("enrolment_token")
    with op.batch_alter_table("deputy", schema=None) as batch_op:
        batch_op.drop_index("ix_deputy_deputy")

    op.drop_table("deputy")
    with op.batch_alter_table("agent_request", schema=None) as batch_op:
        batch_op.drop_index("ix_agent_request_at")

    op.drop_table("agent_request")
    with op.batch_alter_table("agent_nonce", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_agent_nonce_seen_at"))

    op.drop_table("agent_nonce")
    with op.batch_alter_table("wechat_account", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_wechat_account_centre_id"))

    op.drop_table("wechat_account")
    with op.batch_alter_table("post", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_post_grid_id"))
        batch_op.drop_index(batch_op.f("ix_post_centre_id"))

    op.drop_table("post")
    with op.batch_alter_table("phone_state", schema=None) as batch_op:
        batch_op.drop_index("ix_phone_state_agent")

    op.drop_table("phone_state")
    op.drop_table("phone_section")
    with op.batch_alter_table("phone_power", schema=None) as batch_op:
        batch_op.drop_index("ix_phone_power_centre")

    op.drop_table("phone_power")
    op.drop_table("phone_boot")
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_ledger_entry_employee")
        batch_op.drop_index(batch_op.f("ix_ledger_entry_centre_id"))

    op.drop_table("ledger_entry")
    with op.batch_alter_table("household", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_household_grid_id"))
        batch_op.drop_index(batch_op.f("ix_household_centre_id"))

    op.drop_table("household")
    with op.batch_alter_table("handset_imei", schema=None) as batch_op:
        batch_op.drop_index("ix_handset_imei_handset")

    op.drop_table("handset_imei")
    with op.batch_alter_table("contact_failure", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_failure_handset_id"))

    op.drop_table("contact_failure")
    with op.batch_alter_table("compliance_verdict", schema=None) as batch_op:
        batch_op.drop_index("ix_compliance_verdict_status")

    op.drop_table("compliance_verdict")
    with op.batch_alter_table("compliance_change", schema=None) as batch_op:
        batch_op.drop_index("ix_compliance_change_handset")

    op.drop_table("compliance_change")
    with op.batch_alter_table("command", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_command_active_dedup",
            postgresql_where=sa.text("state IN ('queued', 'not_now', 'leased', 'running')"),
            sqlite_where=sa.text("state IN ('queued', 'not_now', 'leased', 'running')"),
        )
        batch_op.drop_index("ix_command_handset")
        batch_op.drop_index("ix_command_finished")
        batch_op.drop_index("ix_command_centre")

    op.drop_table("command")
    op.drop_table("app_user")
    with op.batch_alter_table("agent", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_agent_handset_id"))
        batch_op.drop_index(batch_op.f("ix_agent_centre_id"))

    op.drop_table("agent")
    with op.batch_alter_table("sighting", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sighting_last_seen_at"))

    op.drop_table("sighting")
    with op.batch_alter_table("number", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_number_centre_id"))

    op.drop_table("number")
    with op.batch_alter_table("handset", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_handset_centre_id"))

    op.drop_table("handset")
    with op.batch_alter_table("grid", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_grid_centre_id"))

    op.drop_table("grid")
    with op.batch_alter_table("employee", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_employee_centre_id"))

    op.drop_table("employee")
    with op.batch_alter_table("service_centre", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_service_centre_district_id"))

    op.drop_table("service_centre")
    op.drop_table("district")
    with op.batch_alter_table("policy_layer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_policy_layer_scope_id"))

    op.drop_table("policy_layer")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_due")

    op.drop_table("outbox")
    op.drop_table("installation_key")
    op.drop_table("installation")
    with op.batch_alter_table("import_file", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_import_file_created_at"))

    op.drop_table("import_file")
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotency_created_at"))

    op.drop_table("idempotency")
    op.drop_table("company")
    op.drop_table("blob")
    op.drop_table("audit_head")
    with op.batch_alter_table("audit_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_event_object"))
        batch_op.drop_index(batch_op.f("ix_audit_event_centre_id"))
        batch_op.drop_index(batch_op.f("ix_audit_event_at"))
        batch_op.drop_index(batch_op.f("ix_audit_event_action"))

    op.drop_table("audit_event")
