"""The statements of the hot paths, built once: what is alive, the use of a code, the use of a refresh token. Private to the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from idp.authorizations.tables import accounts, authorizations, codes, refresh_tokens, revoked_tokens, sessions
from keys.database import Timestamp
from keys.grouped import among

if TYPE_CHECKING:
    from sqlalchemy.sql.dml import ReturningUpdate

    from keys.database import Database

# SQLAlchemy compiles a statement once per object and dialect; built anew, each would cost more than the driver.

now = sa.bindparam("now", type_=Timestamp())

# What must hold is asked by scalar subqueries, one look at a primary key each. As EXISTS, PostgreSQL may turn them into joins, and with
# statistics that are behind (a table that grew within the minute) it then begins at the accounts and reads all of them.
_person_state = sa.select(accounts.c.state).where(accounts.c.person == authorizations.c.person).scalar_subquery()
_session_alive = (
    sa.select(sa.and_(sessions.c.ended_at.is_(None), sessions.c.idle_until > now, sessions.c.absolute_until > now))
    .where(sessions.c.id == authorizations.c.session)
    .scalar_subquery()
)
_alive = sa.and_(
    authorizations.c.revoked_at.is_(None),
    authorizations.c.ends_at > now,
    sa.or_(authorizations.c.session.is_(None), _session_alive),
    _person_state == "active",
)


def _details_of(column: sa.ColumnElement[str]) -> sa.ScalarSelect[str]:
    return sa.select(authorizations.c.details).where(authorizations.c.id == column).scalar_subquery()


def _lives(column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    return sa.select(_alive).where(authorizations.c.id == column).scalar_subquery()


# In RETURNING, SQLAlchemy renders columns without their table, also inside subqueries; these two say it in words that both databases read.
_DETAILS = '(SELECT a.details FROM authorizations AS a WHERE a.id = {table}."authorization")'
_IDLE_UNTIL = (
    '(SELECT s.idle_until FROM sessions AS s JOIN authorizations AS a ON s.id = a.session WHERE a.id = refresh_tokens."authorization")'
)


def live(database: Database) -> sa.CompoundSelect[Any]:
    """Give rows (id, details) of those of `ids` that are alive, and rows (jti) of those of `jtis` that were revoked."""
    asked = sa.select(authorizations.c.id, authorizations.c.details, _alive.label("alive")).where(
        among(database, authorizations.c.id, "ids")
    )
    found = asked.offset(sa.literal_column("0")).subquery(
        "found"
    )  # OFFSET: the ids are looked up first, whatever the statistics say of the other conditions
    alive = sa.select(found.c.id, found.c.details, sa.null().label("jti")).where(found.c.alive)
    revoked = sa.select(sa.null(), sa.null(), revoked_tokens.c.jti).where(among(database, revoked_tokens.c.jti, "jtis"))
    return sa.union_all(alive, revoked)


def with_successor(database: Database, consume: ReturningUpdate[Any]) -> sa.Executable:
    """Make a consuming statement insert the refresh token `next` as well (when it is not NULL), in the same round trip and commit.

    SQLite has no changing statement inside another: there the caller inserts.
    """
    if database.dialect == "sqlite":
        return consume
    used, token = consume.cte("used"), sa.bindparam("next", type_=sa.LargeBinary())
    row = sa.select(token, used.c.authorization, used.c.client, now, used.c.bound_to).where(token.is_not(None))
    added = sa.insert(refresh_tokens).from_select(["digest", "authorization", "client", "issued_at", "bound_to"], row).cte("added")
    return sa.select(used).add_cte(added)


consume_code = (
    sa.update(codes)
    .where(
        codes.c.digest == sa.bindparam("presented"),
        codes.c.client == sa.bindparam("by"),
        codes.c.consumed_at.is_(None),
        codes.c.expires_at > now,
        _lives(codes.c.authorization),
    )
    .values(consumed_at=now)
    .returning(
        codes.c.authorization,
        codes.c.client,
        codes.c.redirect_uri,
        codes.c.code_challenge,
        codes.c.nonce,
        codes.c.dpop_jkt,
        sa.bindparam("bound_to", type_=sa.String()).label("bound_to"),  # of the refresh token that is inserted with it
        sa.literal_column(_DETAILS.format(table="codes"), sa.Text()).label("details"),
    )
)

_usable = (
    refresh_tokens.c.digest == sa.bindparam("presented"),
    refresh_tokens.c.client == sa.bindparam("by"),
    refresh_tokens.c.consumed_at.is_(None),
    # RFC 9449 §5, RFC 8705 §7.1: one that is bound is used by the holder of its key only
    sa.or_(refresh_tokens.c.bound_to.is_(None), refresh_tokens.c.bound_to.in_([sa.bindparam("jkt"), sa.bindparam("x5t")])),
    _lives(refresh_tokens.c.authorization),
)
_stands_on = (
    refresh_tokens.c.authorization,
    refresh_tokens.c.client,
    refresh_tokens.c.bound_to,
    sa.literal_column(_DETAILS.format(table="refresh_tokens"), sa.Text()).label("details"),
    sa.literal_column(_IDLE_UNTIL, Timestamp()).label("idle_until"),
)

consume_refresh_token = (
    sa.update(refresh_tokens)
    .where(*_usable)
    .values(consumed_at=now, successor=sa.bindparam("sealed"), successor_digest=sa.bindparam("next"))
    .returning(*_stands_on)
)

keep_refresh_token = sa.select(*_stands_on).select_from(refresh_tokens).where(*_usable)

_successor = refresh_tokens.alias("successor_row")

find_refresh_token = sa.select(
    refresh_tokens,
    _details_of(refresh_tokens.c.authorization).label("details"),
    _lives(refresh_tokens.c.authorization).label("alive"),
    sa.exists()
    .where(_successor.c.digest == refresh_tokens.c.successor_digest, _successor.c.consumed_at.is_not(None))
    .label("successor_used"),
).where(refresh_tokens.c.digest == sa.bindparam("presented"))

find_code = sa.select(codes, _lives(codes.c.authorization).label("alive")).where(codes.c.digest == sa.bindparam("presented"))
