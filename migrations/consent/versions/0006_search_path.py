"""The log's functions look at the log's own tables, whatever temporary ones a role makes beside them.

PostgreSQL searches a session's temporary schema first, unless `search_path` names it last, in functions of the owner as well ("Writing
SECURITY DEFINER Functions Safely"): a table `log_head` of the role's own said how far the log reaches, one `pg_tables` who owns it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Name the temporary schema last."""
    if op.get_bind().dialect.name == "sqlite":
        return
    schema = op.get_bind().execute(sa.text("SELECT quote_ident(current_schema())")).scalar_one()
    for function in ("log_forget(bigint)", "log_entries_guard()"):
        op.execute(f"ALTER FUNCTION {function} SET search_path = pg_catalog, {schema}, pg_temp")
