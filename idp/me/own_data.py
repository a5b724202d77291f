"""law.md R10, R15 (UU 27/2022 Art. 7, 13): all that is kept about a citizen, gathered from every store that knows them.

Values are still sealed here. What `idp.protocol.erasure` erases is what there is to gather, but for what only counts, expires within
minutes, or is a digest of what stands here anyway (docs/own-data.md lists it). The history has a file of its own, with proofs.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from idp.accounts.passkeys.records import LABELS
from idp.me.names import agency_names, purpose_versions
from idp.protocol import complaints

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from consent.records import Grant, GrantEvent, Purpose, SealedValue
    from idp.accounts.factors.records import CodeCard
    from idp.accounts.links.records import Link
    from idp.accounts.passkeys.records import Passkey
    from idp.accounts.records import Account, Check
    from idp.authorizations.records import Authorization
    from idp.complaints.records import Complaint
    from idp.deferred.records import DeferredRequest
    from idp.events.records import SecurityEvent
    from idp.protocol.services import Services
    from idp.sessions.records import Session
    from idp.staff.records import Member
    from idp.wishes.records import Wishes

PASSKEY_NAME: Final = "passkey_name"
"""What an entry calls the names of passkeys: not by the names of their cells, which would tell that two entries are about one citizen."""

MOST_EVENTS: Final = 100_000


@dataclasses.dataclass(frozen=True, slots=True)
class Permission:
    """A grant with its whole past, the words of its purpose, and its newest signed receipt."""

    grant: Grant
    events: Sequence[GrantEvent]
    purpose: Purpose | None
    receipt: str | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """How somebody signs in, and from where."""

    app_since: dt.datetime | None
    card: CodeCard | None
    passkeys: Sequence[Passkey]
    links: Sequence[Link]
    devices: Sequence[dt.datetime]
    sessions: Sequence[Session]
    events: Sequence[SecurityEvent]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Everything about one citizen. `cells` are still sealed, in the order: values, names of passkeys, texts of complaints."""

    account: Account
    cells: Sequence[SealedValue]
    checks: Mapping[str, Check]
    sign_in: SignIn
    permissions: Sequence[Permission]
    agencies: Mapping[str, Mapping[str, str]]
    access: Sequence[Authorization]
    complaints: Sequence[Complaint]
    wishes: Wishes
    frozen_at: dt.datetime | None
    waiting: Sequence[DeferredRequest]
    member: Member | None
    services: Mapping[str, str]
    entries: int


async def gather(found: Services, account: Account) -> Kept:
    """Read it all. Raises: StoreUnavailable, ChainClosed."""
    person, now = account.person, found.clock()
    own = await found.accounts.sealed(person, None)
    written = await found.complaints.of_person(person, None)
    freeze = await found.consent.freezes.of(person)
    shown, _ = await found.consent.access_log.usages(person, frozenset(), None, None, limit=1, offset=0)
    passkeys = await found.accounts.passkeys.of_person(person)
    names = {cell.claim: dataclasses.replace(cell, claim=PASSKEY_NAME) for cell in own if cell.claim.startswith(LABELS)}
    return Kept(
        account=account,
        cells=[
            *(cell for cell in own if cell.claim not in names),
            *(names[one.label_claim] for one in passkeys if one.label_claim in names),
            *(cell for one in written for cell in complaints.cells_of(one)),
        ],
        checks=await found.accounts.cells.checks(person),
        sign_in=await _sign_in(found, person, [one for one in passkeys if one.label_claim in names], now),
        permissions=await _permissions(found, person),
        agencies=await agency_names(found),
        access=await found.authorizations.of_person(person, now),
        complaints=written,
        wishes=await found.wishes.of(person),
        frozen_at=freeze.frozen_at if freeze else None,
        waiting=await found.deferred.of_person(person, now),
        member=await found.staff.of_person(person),
        services={client.id: client.name for client in await found.clients.list()},
        entries=shown,
    )


async def _sign_in(found: Services, person: str, passkeys: Sequence[Passkey], now: dt.datetime) -> SignIn:
    return SignIn(
        app_since=await found.accounts.factors.totp_since(person),
        card=await found.accounts.factors.card(person),
        passkeys=passkeys,
        links=await found.accounts.links.of_person(person),
        devices=await found.events.devices(person),
        sessions=await found.sessions.of_person(person, now),
        events=await found.events.of_person(person, MOST_EVENTS),
    )


async def _permissions(found: Services, person: str) -> list[Permission]:
    ledger = found.consent.ledger
    grants = await ledger.of_person(person)
    purposes = await purpose_versions(found, ((one.purpose, one.purpose_version) for one in grants))
    return [
        Permission(one, await ledger.events(one.id), purposes.get((one.purpose, one.purpose_version)), await ledger.receipt_of(one.id))
        for one in grants
    ]
