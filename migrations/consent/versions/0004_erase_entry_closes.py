"""An erase entry keeps the reference of the chain it closes, so that no chain can be pointed at the erase entry of another."""
# ruff: noqa: S608 - the names put into statements are of our own

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEPT = ("idx", "time", "action", "client", "leaf", "record", "nonce_a", "nonce_s", "closes")
CLOSING = (
    "UPDATE log_entries SET closes = (SELECT c.subject_ref FROM log_chains c WHERE c.closed_by = log_entries.idx) WHERE action = 'erase'"
)


def upgrade() -> None:
    """Add the column, fill it from the chains as they stand, and let the triggers and the function demand it."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.execute("DROP TRIGGER log_entries_no_update" + ("" if sqlite else " ON log_entries"))
    op.add_column("log_entries", sa.Column("closes", sa.LargeBinary))
    op.execute(CLOSING)
    if sqlite:
        _sqlite()
    else:
        _postgresql()


def _sqlite() -> None:
    same = " AND ".join(f"NEW.{column} IS OLD.{column}" for column in KEPT)
    op.execute(
        "CREATE TRIGGER log_entries_no_update BEFORE UPDATE ON log_entries "
        f"WHEN NOT ({same} AND NEW.subject_ref IS NULL AND NEW.subject_sealed IS NULL AND EXISTS ("
        "SELECT 1 FROM log_chains c JOIN log_entries e ON e.idx = c.closed_by "
        "WHERE c.subject_ref = OLD.subject_ref AND e.action = 'erase' AND e.closes = OLD.subject_ref)) "
        "BEGIN SELECT RAISE(ABORT, 'log_entries only grows; the subject of an erased person becomes NULL'); END"
    )


def _postgresql() -> None:
    schema = op.get_bind().execute(sa.text("SELECT quote_ident(current_schema())")).scalar_one()
    same = ", ".join(f"NEW.{column}" for column in KEPT)
    kept = ", ".join(f"OLD.{column}" for column in KEPT)
    op.execute(
        "CREATE OR REPLACE FUNCTION log_entries_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF ROW({same}) IS NOT DISTINCT FROM ROW({kept}) AND NEW.subject_ref IS NULL AND NEW.subject_sealed IS NULL "
        "AND current_setting('gerbang.forgetting', true) = 'on' "
        "AND current_user = (SELECT tableowner FROM pg_tables WHERE schemaname = TG_TABLE_SCHEMA AND tablename = TG_TABLE_NAME) "
        "THEN RETURN NEW; END IF; "
        "RAISE EXCEPTION '% only grows', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege'; END $$"
    )
    op.execute("CREATE TRIGGER log_entries_no_update BEFORE UPDATE ON log_entries FOR EACH ROW EXECUTE FUNCTION log_entries_guard()")
    op.execute(
        "CREATE OR REPLACE FUNCTION log_forget(erase_index bigint) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER "
        f"SET search_path = {schema} AS $$ "
        "DECLARE reference bytea; forgotten bigint; BEGIN "
        "SELECT c.subject_ref INTO reference FROM log_chains c JOIN log_entries e ON e.idx = c.closed_by AND e.closes = c.subject_ref "
        "WHERE c.closed_by = erase_index AND e.action = 'erase' AND e.idx < (SELECT size FROM log_head); "
        "IF reference IS NULL THEN RAISE EXCEPTION 'entry % is not the erase entry of a closed chain', erase_index; END IF; "
        "PERFORM set_config('gerbang.forgetting', 'on', true); "
        "UPDATE log_entries SET subject_ref = NULL, subject_sealed = NULL WHERE subject_ref = reference; "
        "GET DIAGNOSTICS forgotten = ROW_COUNT; "
        "PERFORM set_config('gerbang.forgetting', 'off', true); RETURN forgotten; END $$"
    )
