"""The log's length never goes back on PostgreSQL: the server's role moves it, and could have moved it there and back.

For a moment it would have reached a row outside the log, which `log_forget` took for the erase entry of somebody. Whoever moves it now
leaves a head that the tree contradicts, and everybody sees it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the trigger."""
    if op.get_bind().dialect.name == "sqlite":
        return
    schema = op.get_bind().execute(sa.text("SELECT quote_ident(current_schema())")).scalar_one()
    op.execute(
        f"CREATE FUNCTION log_head_grows() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, {schema}, pg_temp AS $$ BEGIN "
        "IF NEW.size >= OLD.size THEN RETURN NEW; END IF; "
        "RAISE EXCEPTION '% only grows', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege'; END $$"
    )
    op.execute("CREATE TRIGGER log_head_no_shrink BEFORE UPDATE ON log_head FOR EACH ROW EXECUTE FUNCTION log_head_grows()")
