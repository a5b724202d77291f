"""Accounts, the blind indexes that find them, and their sealed cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from idp.accounts import numbers
from idp.accounts.cells.store import CellStore, binding_of
from idp.accounts.census.store import CensusStore
from idp.accounts.drafts.store import DraftStore
from idp.accounts.factors.records import DISABLE_AFTER
from idp.accounts.factors.store import FactorStore
from idp.accounts.links.store import LinkStore
from idp.accounts.passkeys.store import PasskeyStore
from idp.accounts.proofs.store import ProofStore
from idp.accounts.records import KIND_OF, Account, AccountState, Identifier, IdentifierKind, Source, Taken, Value
from idp.accounts.tables import accounts, card_codes, cards, cells, drafts, identifiers, passkeys, proofs, totp
from keys.opaque import new_code, new_id
from keys.sealing.seal import seal_cell

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Row
    from sqlalchemy.sql.dml import Update

    from consent.records import SealedValue
    from keys.database import Database, Transaction
    from keys.keyring import Keyring
    from keys.sealing import DataKey

SHARED_PHONE = 4
"""How many accounts one telephone number signs in, the last used first. A larger household uses account numbers."""

_DRAWS = 5

_totp_active = (
    sa.exists()
    .where(totp.c.person == accounts.c.person, totp.c.stage == "active", totp.c.disabled_at.is_(None))
    .correlate(accounts)
    .label("has_totp")
)
_card_active = (
    sa.exists().where(cards.c.person == accounts.c.person, cards.c.disabled_at.is_(None)).correlate(accounts).label("has_code_card")
)
_passkey = sa.exists().where(passkeys.c.person == accounts.c.person).correlate(accounts).label("has_passkey")
_nik_verified = (
    sa.exists()
    .where(identifiers.c.person == accounts.c.person, identifiers.c.kind == IdentifierKind.NIK, identifiers.c.verified)
    .correlate(accounts)
    .label("nik_verified")
)
_select = sa.select(accounts, _totp_active, _card_active, _passkey, _nik_verified)


def _account(row: Row[Any]) -> Account:
    return Account(
        person=row.person,
        number=row.number or "",
        state=AccountState(row.state),
        locale=row.locale,
        password_hash=row.password_hash,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        minor=row.minor,
        has_totp=bool(row.has_totp),
        has_code_card=bool(row.has_code_card),
        nik_verified=bool(row.nik_verified),
        nik_paused_until=row.nik_paused_until,
        phone_channel=row.phone_channel,
        has_passkey=bool(row.has_passkey),
    )


class AccountStore:
    """The accounts of the idp store, with their factors, one-time codes and drafts. It seals; opening is `consent.disclosure`'s alone."""

    def __init__(self, database: Database, keyring: Keyring, factor_failures: int = DISABLE_AFTER) -> None:
        self._database = database
        self._keyring = keyring
        self._insert = database.insert
        self.factors = FactorStore(database, keyring, factor_failures)
        self.passkeys = PasskeyStore(database, keyring)
        self.proofs = ProofStore(database, keyring)
        self.drafts = DraftStore(database, keyring)
        self.links = LinkStore(database, keyring)
        self.cells = CellStore(database)
        self.census = CensusStore(database)

    # --- finding -----------------------------------------------------------------------------------------------------------------

    async def get(self, person: str) -> Account | None:
        """Give the account of a person, closed ones included."""
        async with self._database.read() as connection:
            row = (await connection.execute(_select.where(accounts.c.person == person))).one_or_none()
        return None if row is None else _account(row)

    def index(self, identifier: Identifier) -> bytes:
        """Give the blind index of an identifier; account numbers have none."""
        return self._keyring.blind_index.index(identifier.kind.value, identifier.value)

    async def by_identifier(self, kind: str, digest: bytes) -> Sequence[Account]:
        """Give the accounts that have this identifier *verified*, the last used first (several only for a phone)."""
        statement = (
            _select.join(identifiers, identifiers.c.person == accounts.c.person)
            .where(identifiers.c.kind == kind, identifiers.c.digest == digest, identifiers.c.verified)
            .where(accounts.c.state != AccountState.CLOSED)
            .order_by(accounts.c.last_used_at.desc())
            .limit(SHARED_PHONE)
        )
        return await self._many(statement)

    async def find(self, identifier: Identifier | None) -> Sequence[Account]:
        """Give whom an identifier signs in. An unreadable one costs the same look and finds nobody."""
        if identifier is None:
            return await self.by_identifier("email", bytes(32))
        if identifier.kind is IdentifierKind.NUMBER:
            statement = _select.where(accounts.c.number == identifier.value, accounts.c.state != AccountState.CLOSED)
            return await self._many(statement)
        return await self.by_identifier(identifier.kind, self.index(identifier))

    async def _many(self, statement: sa.Select[Any]) -> Sequence[Account]:
        async with self._database.read() as connection:
            return [_account(row) for row in await connection.execute(statement)]

    # --- creating and sealing ----------------------------------------------------------------------------------------------------

    async def create(
        self,
        *,
        values: Iterable[Value],
        now: dt.datetime,
        locale: str = "id",
        password_hash: str | None = None,
        minor: bool = False,
        person: str | None = None,
        number: str | None = None,
        phone_channel: str = "sms",
    ) -> Account | Taken:
        """Open an account: keys first (a crash leaves a key of nobody), then everything else in one transaction."""
        person = person or new_id()
        values = list(values)
        await self._keyring.subject_keys.create(person)
        key = await self._keyring.subject_keys.data_key(person)
        row = {
            "person": person, "state": AccountState.ACTIVE, "locale": locale, "password_hash": password_hash,
            "created_at": now, "last_used_at": now, "minor": minor, "phone_channel": phone_channel,
        }  # fmt: skip
        for _ in range(_DRAWS):
            try:
                await self._insert_account({**row, "number": number or numbers.draw(new_code)}, values, key, now)
            except IntegrityError:
                taken = await self._taken(values)
                if taken is not None:
                    return taken
                if number is not None:
                    raise
            else:
                created = await self.get(person)
                assert created is not None  # noqa: S101 - committed just now
                return created
        raise RuntimeError("no free account number was drawn")

    async def _insert_account(self, row: dict[str, Any], values: list[Value], key: DataKey, now: dt.datetime) -> None:
        async with self._database.transaction() as transaction:
            await transaction.execute(sa.insert(accounts).values(**row))
            for value in values:
                await self._put(transaction, key, value, now)
            await transaction.commit()

    async def put(self, person: str, value: Value, now: dt.datetime) -> Taken | None:
        """Seal one value in place of what was there, and index it when it is an identifier."""
        key = await self._keyring.subject_keys.data_key(person)
        try:
            async with self._database.transaction() as transaction:
                await self._put(transaction, key, value, now)
                await transaction.commit()
        except IntegrityError:
            return Taken(KIND_OF[value.claim])
        return None

    async def restate(self, person: str, stated: Mapping[str, str], unsaid: Iterable[str], now: dt.datetime) -> None:
        """Keep what a person says about themselves, all or nothing. Verified values stay; identifiers are `put`, for they are indexed."""
        key = await self._keyring.subject_keys.data_key(person)
        sealed = {claim: seal_cell(key, binding_of(person, claim), value.encode()) for claim, value in stated.items()}
        await self.cells.restate(person, sealed, unsaid, now)

    async def _put(self, transaction: Transaction, key: DataKey, value: Value, now: dt.datetime) -> None:
        verified = value.source is Source.VERIFIED
        row = {
            "cell": seal_cell(key, binding_of(key.person, value.claim), value.value.encode()),
            "source": value.source,
            "verified_by": value.verified_by,
            "verified_how": value.verified_how,
            "verified_at": now if verified else None,
            "updated_at": now,
        }
        upsert = self._insert(cells).values(person=key.person, claim=value.claim, **row)
        await transaction.execute(upsert.on_conflict_do_update(index_elements=["person", "claim"], set_=row))
        kind = KIND_OF.get(value.claim)
        if kind is None:
            return
        found = {"digest": self.index(Identifier(kind, value.value)), "verified": verified}
        indexed = self._insert(identifiers).values(person=key.person, kind=kind, **found)
        await transaction.execute(indexed.on_conflict_do_update(index_elements=["person", "kind"], set_=found))

    async def _taken(self, values: list[Value]) -> Taken | None:
        for value in values:
            kind = KIND_OF.get(value.claim)
            if kind is None or value.source is not Source.VERIFIED or kind is IdentifierKind.PHONE:
                continue
            if await self.by_identifier(kind, self.index(Identifier(kind, value.value))):
                return Taken(kind)
        return None

    async def sealed(self, person: str, claims: Iterable[str] | None = None) -> Sequence[SealedValue]:
        """Give a person's cells as they rest; `claims` None gives all."""
        return await self.cells.sealed(person, claims)

    async def same(self, person: str, identifier: Identifier) -> bool:
        """Tell whether a person's indexed identifier is this one: a comparison that opens nothing."""
        statement = sa.select(identifiers.c.person).where(
            identifiers.c.person == person, identifiers.c.kind == identifier.kind, identifiers.c.digest == self.index(identifier)
        )
        async with self._database.read() as connection:
            return (await connection.execute(statement)).first() is not None

    async def verified_kinds(self, person: str) -> frozenset[IdentifierKind]:
        """Say which identifiers of a person are verified: the channels and names that can be relied on."""
        statement = sa.select(identifiers.c.kind).where(identifiers.c.person == person, identifiers.c.verified)
        async with self._database.read() as connection:
            return frozenset(IdentifierKind(kind) for kind in (await connection.execute(statement)).scalars())

    # --- changing ----------------------------------------------------------------------------------------------------------------

    async def set_password(self, person: str, password_hash: str) -> None:
        """Store the hash of a new password."""
        await self._update(sa.update(accounts).where(accounts.c.person == person).values(password_hash=password_hash))

    async def rehash(self, person: str, old: str, new: str) -> None:
        """Replace a hash by a costlier one of the same password, unless the password changed meanwhile."""
        statement = sa.update(accounts).where(accounts.c.person == person, accounts.c.password_hash == old)
        await self._update(statement.values(password_hash=new))

    async def used(self, person: str, now: dt.datetime) -> None:
        """Note that the person signed in."""
        await self._update(sa.update(accounts).where(accounts.c.person == person).values(last_used_at=now))

    async def set_minor(self, person: str, *, minor: bool) -> None:
        """Note whether the person is under age."""
        await self._update(sa.update(accounts).where(accounts.c.person == person).values(minor=minor))

    async def set_phone_channel(self, person: str, channel: str) -> None:
        """Note how messages to the telephone travel."""
        await self._update(sa.update(accounts).where(accounts.c.person == person).values(phone_channel=channel))

    async def pause_nik(self, person: str, until: dt.datetime) -> None:
        """Withhold the NIK from services until then (after a recovery at the counter)."""
        await self._update(sa.update(accounts).where(accounts.c.person == person).values(nik_paused_until=until))

    async def set_state(self, person: str, state: AccountState) -> bool:
        """Lock or unlock; False when there is no such open account."""
        statement = sa.update(accounts).where(accounts.c.person == person, accounts.c.state != AccountState.CLOSED)
        return await self._update(statement.values(state=state))

    async def _update(self, statement: Update) -> bool:
        async with self._database.statement() as connection:
            return (await connection.execute(statement)).rowcount > 0

    async def close(self, person: str) -> None:
        """Close an account for good: nobody signs in to it any more. `erase` then empties it."""
        await self._update(sa.update(accounts).where(accounts.c.person == person).values(state=AccountState.CLOSED))

    async def erase(self, person: str) -> None:
        """Forget a person: indexes, cells, factors, codes. The row stays, closed and empty, so that nothing is opened again."""
        async with self._database.transaction() as transaction:
            for table in (identifiers, cells, totp, cards, card_codes, passkeys):
                await transaction.execute(sa.delete(table).where(table.c.person == person))
            await transaction.execute(sa.delete(proofs).where(proofs.c.subject == person))
            closed = {"state": AccountState.CLOSED, "number": None, "password_hash": None}
            await transaction.execute(sa.update(accounts).where(accounts.c.person == person).values(closed))
            await transaction.commit()

    async def sweep(self, now: dt.datetime, limit: int = 1000) -> int:
        """Delete expired codes and half-finished enrolments, at most `limit` of each; return how many went."""
        gone = 0
        async with self._database.transaction() as transaction:
            for table in (proofs, drafts):
                old = sa.select(table.c.id).where(table.c.expires_at < now).limit(limit)
                gone += (await transaction.execute(sa.delete(table).where(table.c.id.in_(old)))).rowcount  # type: ignore[union-attr]
            await transaction.commit()
        return gone
