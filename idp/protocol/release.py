"""OIDC Core §5.1, §5.3, §5.4: from an authorization to the claims it may be told, through the door that records the read first.

Used by every path that carries personal claims: userinfo, and the ID token when claims are asked for there. Invariant 5: what leaves is
at most  asked ∩ declared ∩ allowed, and the grant is rechecked under the log's lock.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from consent.decision import is_active, readable
from consent.disclosure import Attempt, Disclosed, ServiceRead
from consent.errors import LogBusy, LogUnavailable
from consent.purposes.vocabulary import COMPANIONS
from consent.records import GrantState
from idp.clients.self_registered import closed
from idp.spec.claims import PROFILE_CLAIMS
from idp.web.rate_limits import Wait

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consent.records import Grant, Purpose, SealedValue
    from idp.authorizations.records import Authorization
    from idp.clients.records import Client
    from idp.protocol.services import Services
    from idp.spec.at_jwt import AccessToken

VERIFIED: Final = "verified"
FROZEN: Final = "frozen"
NOT_ALLOWED: Final = "not_allowed"
ACCESS_HISTORY: Final = "access_history"
# OIDC Core §5.1.1: "Implementations MAY return only a subset of the fields of an address".
ADDRESS_MEMBERS: Final = ("formatted", "street_address", "locality", "region", "postal_code", "country")


@dataclass(frozen=True, slots=True)
class Released:
    """Claims as JSON values, without `sub`; `entry_id` is the log entry of this read, None when no personal value left."""

    claims: Mapping[str, Any] = field(repr=False)
    entry_id: str | None = None


@dataclass(frozen=True, slots=True)
class NotReleased:
    """Nothing may be told any more: the authorization's grant ended. `reason` is for the developer's trail, not for the answer."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Occasion:
    """Who would read, under what, and by which path."""

    authorization: Authorization
    client: Client
    grant: Grant
    channel: str
    purpose: Purpose
    readable: frozenset[str]


async def release(
    services: Services, authorization: Authorization, channel: str, names: frozenset[str] | None = None
) -> Released | NotReleased:
    """Read what an authorization may read. `names`: the claims asked for; None for those of the UserInfo endpoint.

    Raises: LogUnavailable, LogBusy, StoreUnavailable (answer 503: nothing was opened).
    """
    asked = authorization.claims.get("userinfo", frozenset()) if names is None else names
    standing = await _stand(services, authorization, channel, asked)
    if isinstance(standing, NotReleased):
        return standing
    if standing.readable and standing.grant.frozen:
        await _denied(services, standing, asked, FROZEN)
        return Released({})
    sealed = await _cells(services, authorization.person, standing.readable)
    if not sealed:
        return Released({})
    result = await services.consent.disclosure.to_service(_read(standing, frozenset(value.claim for value in sealed)), sealed)
    if isinstance(result, Disclosed):
        return Released(shape(result.values, sealed, asked), result.entry_id)
    # law.md R14 (UU 27/2022 Art. 11): whoever froze their data, in this very moment too, still signs in, and nothing more
    return Released({}) if result.reason == FROZEN else NotReleased(result.reason)


async def release_history(services: Services, authorization: Authorization, channel: str) -> Released | NotReleased:
    """Let an application read who read what about the person, which is a read as well: it is recorded before the history is opened.

    Raises: LogUnavailable, LogBusy, StoreUnavailable (answer 503: nothing was opened).
    """
    standing = await _stand(services, authorization, channel, frozenset({ACCESS_HISTORY}))
    if isinstance(standing, NotReleased):
        return standing
    if ACCESS_HISTORY not in standing.readable:
        return NotReleased(NOT_ALLOWED)
    if standing.grant.frozen:
        return await _denied(services, standing, frozenset({ACCESS_HISTORY}), FROZEN)
    result = await services.consent.disclosure.to_service(_read(standing, standing.readable), ())
    return Released({}, result.entry_id) if isinstance(result, Disclosed) else NotReleased(result.reason)


async def attempted(services: Services, token: AccessToken, channel: str, names: frozenset[str] | None = None) -> None:
    """Enter that an application wanted to read with a token whose permission ended: log.md "denied attempts of authenticated clients".

    What ended otherwise (the citizen signed out) is no attempt against anybody's will. Raises: LogUnavailable, LogBusy, StoreUnavailable.
    """
    ended = await services.authorizations.known(token.authorization) if token.authorization else None
    if ended is not None and ended.client == token.client_id and ended.person not in services.erased:
        await _stand(services, ended, channel, ended.claims.get("userinfo", frozenset()) if names is None else names)


async def _stand(services: Services, authorization: Authorization, channel: str, asked: frozenset[str]) -> _Occasion | NotReleased:
    """Say what an authorization rests on, and what of `asked` may be read; a refusal is an entry."""
    client = await services.clients.get(authorization.client)
    grant = await services.consent.ledger.get(authorization.grant)
    if client is None or grant is None or grant.person != authorization.person or grant.client != authorization.client:
        return NotReleased("no_grant")
    consented, newest = await _declarations(services, grant)
    if consented is None or newest is None:
        return NotReleased("no_declaration")
    now = services.clock()
    may = readable(asked, consented, newest, grant, now)
    occasion = _Occasion(authorization, client, grant, channel, consented, may)
    if not is_active(grant, now):
        return await _denied(services, occasion, asked, "expired" if grant.state is GrantState.ACTIVE else grant.state.value)
    return occasion


def shape(values: Mapping[str, str], sealed: Sequence[SealedValue], asked: frozenset[str]) -> dict[str, Any]:
    """Give opened values the JSON types of OIDC Core §5.1, with the companions that were asked for. Pure."""
    claims: dict[str, Any] = {name: address(value) if name == "address" else value for name, value in values.items() if name in asked}
    sources = {value.claim: value.source for value in sealed}
    claims |= {name: sources[base] == VERIFIED for name, base in COMPANIONS.items() if name in asked and base in values}
    changed = [value.updated_at for value in sealed if value.claim in PROFILE_CLAIMS and value.updated_at is not None]
    if "updated_at" in asked and changed:
        claims["updated_at"] = int(max(changed).timestamp())
    return claims


def address(value: str) -> dict[str, str]:
    """Give an address as the JSON object of OIDC Core §5.1.1, whether it was kept as one or as written."""
    try:
        found = json.loads(value)
    except ValueError:
        return {"formatted": value}
    if not isinstance(found, dict):
        return {"formatted": value}
    return {member: str(found[member]) for member in ADDRESS_MEMBERS if found.get(member)}


async def _declarations(services: Services, grant: Grant) -> tuple[Purpose | None, Purpose | None]:
    purposes = services.consent.purposes
    if closed(grant.purpose, certification=services.settings.certification):
        return None, None
    return await purposes.get(grant.purpose, grant.purpose_version), await purposes.get(grant.purpose)


async def _cells(services: Services, person: str, names: frozenset[str]) -> Sequence[SealedValue]:
    """Load what is there, sealed. A NIK leaves only when verified, and not while it is paused (ui.md: 24 h after a recovery)."""
    if "nik" in names and await _nik_paused(services, person):
        names -= {"nik"}
    if not names:
        return ()
    sealed = await services.accounts.cells.sealed(person, names)
    return [value for value in sealed if value.claim != "nik" or value.source == VERIFIED]


async def _nik_paused(services: Services, person: str) -> bool:
    account = await services.accounts.get(person)
    return account is None or (account.nik_paused_until is not None and services.clock() < account.nik_paused_until)


async def _denied(services: Services, occasion: _Occasion, asked: frozenset[str], reason: str) -> NotReleased:
    grant, client = occasion.grant, occasion.client
    attempt = Attempt(
        client=client.id,
        client_name=client.name,
        agency=client.agency.code,
        person=grant.person,
        authorization=occasion.authorization.id,
        grant=grant.id,
        claims=asked & grant.offered,
        channel=occasion.channel,
        reason=reason,
    )
    taken = await services.limits.denied(client.id, grant.person)
    if isinstance(taken, Wait):
        return NotReleased(reason)
    try:
        await services.consent.disclosure.denied(attempt)
    except (LogUnavailable, LogBusy):
        await services.limits.give_back(taken)
        raise
    return NotReleased(reason)


def _read(occasion: _Occasion, claims: frozenset[str]) -> ServiceRead:
    authorization, client = occasion.authorization, occasion.client
    return ServiceRead(
        client=client.id,
        client_name=client.name,
        agency=client.agency.code,
        person=authorization.person,
        authorization=authorization.id,
        grant=occasion.grant,
        purpose=occasion.purpose,
        claims=claims,
        channel=occasion.channel,
        acr=authorization.acr,
        auth_time=authorization.auth_time,
        lasting=authorization.session is None,
    )
