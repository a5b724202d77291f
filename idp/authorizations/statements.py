"""The statements of the hot paths, built once: what is alive, the use of a code, the use of a refresh token. Private to the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from idp.authorizations.tables import accounts, authorizations, codes, refresh_tokens, revoked_tokens, sessions
from keys.database import Timestamp
from keys.grouped import among

if TYPE_CHECKING:
    from keys.database import Database

# SQLAlchemy compiles a statement once per object and dialect; built anew, each would cost more than the driver.

now = sa.bindparam("now", type_=Timestamp())
_person_active = sa.exists().where(accounts.c.person == authorizations.c.person, accounts.c.state == "active")
_session_alive = sa.exists().where(
    sessions.c.id == authorizations.c.session,
    sessions.c.ended_at.is_(None),
    sessions.c.idle_until > now,
    sessions.c.absolute_until > now,
)
_alive = (
    authorizations.c.revoked_at.is_(None),
    authorizations.c.ends_at > now,
    sa.or_(authorizations.c.session.is_(None), _session_alive),
    _person_active,
)


def _details_of(column: sa.ColumnElement[str]) -> sa.ScalarSelect[str]:
    return sa.select(authorizations.c.details).where(authorizations.c.id == column).scalar_subquery()


def _lives(column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    return sa.exists().where(authorizations.c.id == column, *_alive)


# In RETURNING, SQLAlchemy renders columns without their table, also inside subqueries; these two say it in words that both databases read.
_DETAILS = '(SELECT a.details FROM authorizations AS a WHERE a.id = {table}."authorization")'
_IDLE_UNTIL = (
    '(SELECT s.idle_until FROM sessions AS s JOIN authorizations AS a ON s.id = a.session WHERE a.id = refresh_tokens."authorization")'
)


def live(database: Database) -> sa.CompoundSelect[Any]:
    """Give rows (id, details) of those of `ids` that are alive, and rows (jti) of those of `jtis` that were revoked."""
    alive = sa.select(authorizations.c.id, authorizations.c.details, sa.null().label("jti")).where(
        among(database, authorizations.c.id, "ids"), *_alive
    )
    revoked = sa.select(sa.null(), sa.null(), revoked_tokens.c.jti).where(among(database, revoked_tokens.c.jti, "jtis"))
    return sa.union_all(alive, revoked)


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
        codes.c.client,
        codes.c.redirect_uri,
        codes.c.code_challenge,
        codes.c.nonce,
        sa.literal_column(_DETAILS.format(table="codes"), sa.Text()).label("details"),
    )
)

consume_refresh_token = (
    sa.update(refresh_tokens)
    .where(
        refresh_tokens.c.digest == sa.bindparam("presented"),
        refresh_tokens.c.client == sa.bindparam("by"),
        refresh_tokens.c.consumed_at.is_(None),
        _lives(refresh_tokens.c.authorization),
    )
    .values(consumed_at=now, successor=sa.bindparam("sealed"), successor_digest=sa.bindparam("next"))
    .returning(
        sa.literal_column(_DETAILS.format(table="refresh_tokens"), sa.Text()).label("details"),
        sa.literal_column(_IDLE_UNTIL, Timestamp()).label("idle_until"),
    )
)

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
