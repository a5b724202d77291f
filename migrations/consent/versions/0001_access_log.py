"""Access log."""
# ruff: noqa: S608 - the names put into statements are of our own

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

FROZEN = ("log_entries", "log_tiles", "log_bundles")
KEPT = ("idx", "time", "action", "client", "leaf", "record", "nonce_a", "nonce_s")


def upgrade() -> None:
    """Create the tables, the row of the empty head, and the triggers that let the log only grow."""
    _tables()
    op.execute(sa.text("INSERT INTO log_head (id, size, edge, last_time) VALUES (1, 0, :edge, 0)").bindparams(edge=b""))
    if op.get_bind().dialect.name == "sqlite":
        _sqlite_triggers()
    else:
        _postgresql_triggers()


def _tables() -> None:
    big, binary = sa.BigInteger, sa.LargeBinary
    op.create_table(
        "log_head",
        sa.Column("id", sa.SmallInteger, primary_key=True),
        sa.Column("size", big, nullable=False),
        sa.Column("edge", binary, nullable=False),
        sa.Column("last_time", big, nullable=False),
        sa.CheckConstraint("id = 1", name="log_head_is_one_row"),
    )
    op.create_table(
        "log_entries",
        sa.Column("idx", big, primary_key=True, autoincrement=False),
        sa.Column("time", big, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("client", sa.Text),
        sa.Column("leaf", binary, nullable=False),
        sa.Column("record", binary, nullable=False),
        sa.Column("nonce_a", binary, nullable=False),
        sa.Column("nonce_s", binary),
        sa.Column("subject_ref", binary),
        sa.Column("subject_sealed", binary),
    )
    about_someone = sa.text("subject_ref IS NOT NULL")
    op.create_index(
        "log_entries_of_subject", "log_entries", ["subject_ref", "idx"], sqlite_where=about_someone, postgresql_where=about_someone
    )
    op.create_table(
        "log_tiles",
        sa.Column("level", sa.SmallInteger, primary_key=True),
        sa.Column("n", big, primary_key=True),
        sa.Column("hashes", binary, nullable=False),
        sa.Column("root", binary, nullable=False),
    )
    op.create_table(
        "log_bundles",
        sa.Column("n", big, primary_key=True, autoincrement=False),
        sa.Column("entries", binary, nullable=False),
    )
    op.create_table(
        "log_chains",
        sa.Column("subject_ref", binary, primary_key=True),
        sa.Column("length", big, nullable=False),
        sa.Column("last_sc", binary, nullable=False),
        sa.Column("closed_by", big),
    )
    op.create_table(
        "log_checkpoints",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("size", big, nullable=False),
        sa.Column("root", binary, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("time", big, nullable=False),
        sa.CheckConstraint("kind IN ('signed', 'published')", name="log_checkpoints_kind"),
    )


def _sqlite_triggers() -> None:
    """SQLite has no roles: the triggers stop accidents, and the tree shows the rest."""
    for table in FROZEN:
        op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} BEGIN SELECT RAISE(ABORT, '{table} only grows'); END")
    for table in FROZEN[1:]:
        op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, '{table} only grows'); END")
    same = " AND ".join(f"NEW.{column} IS OLD.{column}" for column in KEPT)
    op.execute(
        "CREATE TRIGGER log_entries_no_update BEFORE UPDATE ON log_entries "
        f"WHEN NOT ({same} AND NEW.subject_ref IS NULL AND NEW.subject_sealed IS NULL AND EXISTS ("
        "SELECT 1 FROM log_chains WHERE log_chains.subject_ref = OLD.subject_ref AND log_chains.closed_by IS NOT NULL)) "
        "BEGIN SELECT RAISE(ABORT, 'log_entries only grows; the subject of an erased person becomes NULL'); END"
    )


def _postgresql_triggers() -> None:
    schema = op.get_bind().execute(sa.text("SELECT quote_ident(current_schema())")).scalar_one()
    refuse = "RAISE EXCEPTION '% only grows', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege'"
    op.execute(f"CREATE FUNCTION log_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {refuse}; END $$")
    for table in FROZEN:
        op.execute(f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION log_only_grows()")
        op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION log_only_grows()")
    for table in FROZEN[1:]:
        op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION log_only_grows()")
    _postgresql_forgetting(schema, refuse)


def _postgresql_forgetting(schema: str, refuse: str) -> None:
    """The one way to NULL the subject columns: a function of the owner that demands the index of the erase entry.

    The switch is set inside its body, for this transaction: as a clause of CREATE FUNCTION it would ask for a superuser.
    """
    same = ", ".join(f"NEW.{column}" for column in KEPT)
    kept = ", ".join(f"OLD.{column}" for column in KEPT)
    op.execute(
        "CREATE FUNCTION log_entries_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF ROW({same}) IS NOT DISTINCT FROM ROW({kept}) AND NEW.subject_ref IS NULL AND NEW.subject_sealed IS NULL "
        "AND current_setting('gerbang.forgetting', true) = 'on' "
        "AND current_user = (SELECT tableowner FROM pg_tables WHERE schemaname = TG_TABLE_SCHEMA AND tablename = TG_TABLE_NAME) "
        f"THEN RETURN NEW; END IF; {refuse}; END $$"
    )
    op.execute("CREATE TRIGGER log_entries_no_update BEFORE UPDATE ON log_entries FOR EACH ROW EXECUTE FUNCTION log_entries_guard()")
    op.execute(
        "CREATE FUNCTION log_forget(erase_index bigint) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER "
        f"SET search_path = {schema} AS $$ "
        "DECLARE reference bytea; forgotten bigint; BEGIN "
        "SELECT c.subject_ref INTO reference FROM log_chains c JOIN log_entries e ON e.idx = c.closed_by "
        "WHERE c.closed_by = erase_index AND e.action = 'erase'; "
        "IF reference IS NULL THEN RAISE EXCEPTION 'entry % is not the erase entry of a closed chain', erase_index; END IF; "
        "PERFORM set_config('gerbang.forgetting', 'on', true); "
        "UPDATE log_entries SET subject_ref = NULL, subject_sealed = NULL WHERE subject_ref = reference; "
        "GET DIAGNOSTICS forgotten = ROW_COUNT; "
        "PERFORM set_config('gerbang.forgetting', 'off', true); RETURN forgotten; END $$"
    )
