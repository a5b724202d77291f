"""GET /v2/findUsage, /v2/usagePeriod, /v2/heartbeat (Andmejälgija, OpenAPI 2.0.0).

A portal that the citizen signed in to, and allowed `access_history`, asks with its access token. The asking is an entry itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.routing import Route

from idp.data_tracker import rules
from idp.protocol import bearer, issue
from idp.protocol.answers import answer, refused
from idp.protocol.release import ACCESS_HISTORY, FROZEN, NOT_ALLOWED, NotReleased, attempted, release_history
from idp.protocol.services import services
from idp.spec.errors import ErrorCode, Refusal
from idp.web.parameters import query

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from consent.access_log.records import HistoryEntry
    from idp.authorizations.records import Authorization
    from idp.clients.records import Client
    from idp.protocol.services import Services

CHANNEL: Final = "api"
_NOT_NOW: Final = Refusal(ErrorCode.ACCESS_DENIED, "The citizen does not allow it, or has frozen the use of their data.", 403)


async def find_usage(request: Request) -> Response:
    """Tell what was done with the citizen's data, newest first, at most 1,000 entries at once."""
    found = services(request)
    standing = await _standing(request, found)
    if isinstance(standing, Refusal):
        return bearer.refused(standing)
    client, authorization = standing
    asked = _asked(request, issue.subject(found, client, authorization.person))
    if isinstance(asked, Refusal):
        return refused(asked)
    released = await release_history(found, authorization, CHANNEL)
    if isinstance(released, NotReleased):
        # a new sign-in mends what was withdrawn; it would not mend the citizen's "no"
        return refused(_NOT_NOW) if released.reason in {FROZEN, NOT_ALLOWED} else bearer.refused(bearer.INVALID)
    total, entries = await found.consent.access_log.usages(
        authorization.person, rules.ACTIONS, asked.since, asked.until, limit=asked.limit, offset=asked.offset
    )
    agencies = {agency.code: agency.name for agency in await found.clients.agencies()}
    say = _action(request, found)
    usages = [rules.usage(entry, agencies.get(str(entry.record.get("agency")), {}), say) for entry in entries]
    return answer({"totalUsages": total, "usages": usages}, headers={"x-access-log-id": released.entry_id or ""})


async def usage_period(request: Request) -> Response:
    """Tell since when reads are recorded; there is no end."""
    found = services(request)
    standing = await _standing(request, found)
    if isinstance(standing, Refusal):
        return bearer.refused(standing)
    return answer({"periodStart": rules.moment(await found.consent.access_log.began() or found.clock())})


async def heartbeat(request: Request) -> Response:
    """Tell whether findUsage would answer; nothing about anybody."""
    doubt = services(request).consent.access_log.in_doubt
    return answer({"status": "FAIL" if doubt else "OK", "message": "The access log is in doubt." if doubt else "Ready."})


def _asked(request: Request, subject: str) -> rules.Asked | Refusal:
    sent = query(request)
    if sent.problem is not None or sent.repeated:
        return Refusal(ErrorCode.INVALID_REQUEST, "Send each parameter once, percent-encoded in UTF-8.")
    return rules.read(sent.values, request.headers.get("x-road-userid"), subject)


async def _standing(request: Request, found: Services) -> tuple[Client, Authorization] | Refusal:
    """Say what the token stands on; it must have the scope `access_history`."""
    token = await bearer.held(request, found)
    if isinstance(token, Refusal):
        return token
    if token.authorization is None or ACCESS_HISTORY not in token.scope:
        return bearer.insufficient(ACCESS_HISTORY)
    client = await found.clients.get(token.client_id)
    authorization = await found.authorizations.live(token.authorization, token.jti, found.clock(), before=token.before)
    if client is None or authorization is None or authorization.client != client.id:
        await attempted(found, token, CHANNEL, frozenset({ACCESS_HISTORY}))
        return bearer.INVALID
    return client, authorization


def _action(request: Request, found: Services) -> Callable[[HistoryEntry], str]:
    """Say in the citizen's words what was done: "Membaca: nama, alamat email"."""
    texts = found.renderer

    def say(entry: HistoryEntry) -> str:
        kinds = ", ".join(texts.t(request, f"data.{claim}") for claim in entry.claims)
        did = texts.t(request, "history.kind." + entry.action)
        return f"{did}: {kinds}" if kinds else did

    return say


routes = [
    Route("/v2/findUsage", find_usage, methods=["GET"]),
    Route("/v2/usagePeriod", usage_period, methods=["GET"]),
    Route("/v2/heartbeat", heartbeat, methods=["GET"]),
]
