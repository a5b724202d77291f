"""log.md: "Reads reported by agencies: UNIQUE(client, report_id), checked under the lock; other content is 409." POST /report-access.

The receipt names the entry's index: an agency that keeps it can prove later that the log once reached so far.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from starlette.routing import Route

from consent.access_log.records import Actor
from consent.errors import ChainClosed
from consent.reports import OtherContent, Report
from idp.clients.self_registered import unchecked
from idp.protocol import arrivals
from idp.protocol.answers import answer, refused
from idp.protocol.client_authentication import read_caller
from idp.protocol.services import services
from idp.report_access import rules
from idp.spec.errors import ErrorCode, Refusal

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from consent.records import Purpose
    from consent.reports import Reported
    from idp.clients.records import Client
    from idp.protocol.services import Services
    from idp.report_access.rules import Said

RECEIPT_TYPE: Final = "access-report-receipt+jwt"
ALGORITHM: Final = "ES256"
_CREATED: Final = 201
_METHOD: Final = Refusal(
    ErrorCode.UNAUTHORIZED_CLIENT, "Reports are signed for: register token_endpoint_auth_method private_key_jwt to send them.", 403
)
_NOBODY: Final = Refusal(ErrorCode.INVALID_REQUEST, "Your agency knows nobody under this sub.", 404)
_OTHER: Final = Refusal(ErrorCode.INVALID_REQUEST, "A report of this report_id said something else. Each read has an id of its own.", 409)


async def report(request: Request) -> Response:
    """Take a report: 201 with a signed receipt, 200 with the same entry when it is sent again."""
    found = services(request)
    called = await read_caller(request, found)
    if isinstance(called, Refusal):
        return refused(called)
    client, sent = called
    if client.auth_method != "private_key_jwt" or unchecked(client, client.default_purpose or ""):
        return refused(_METHOD)
    wait = found.arrivals.reports.take(client.id)
    if wait:
        return arrivals.too_often(wait)
    said = rules.read(sent.values, found.clock())
    if isinstance(said, Refusal):
        return refused(said)
    taken = await _take(found, client, said)
    if isinstance(taken, Refusal):
        return refused(taken)
    return answer(await _receipt(found, client, said, taken), 200 if taken.again else _CREATED)


async def _take(found: Services, client: Client, said: Said) -> Reported | Refusal:
    purpose = await _purpose(found, client, said)
    if isinstance(purpose, Refusal):
        return purpose
    person = await found.subjects.person_of(client.sector, said.subject)
    if person is None or person in found.erased:
        return _NOBODY
    grant = await found.consent.ledger.find(person, client.id, purpose.id)
    told = Report(
        client=client.id,
        client_name=client.name,
        agency=client.agency.code,
        report_id=found.keyring.digests.digest("report_id", said.report_id).hex(),  # an agency's number may be a person's: it is not kept
        content_hash=said.content_hash,
        person=person,
        claims=said.claims,
        purpose=purpose,
        occurred=said.occurred,
        actor=Actor("officer" if said.actor else "service", said.actor, said.role, said.unit),
        reason=said.reason,
        grant=grant.id if grant else None,
    )
    try:
        taken = await found.consent.reports.take(told)
    except ChainClosed:
        return _NOBODY
    return _OTHER if isinstance(taken, OtherContent) else taken


async def _purpose(found: Services, client: Client, said: Said) -> Purpose | Refusal:
    """Give the declaration under which it was read: one of the application's, the default when none is named."""
    named = said.purpose or client.default_purpose
    purpose = await found.consent.purposes.get(named) if named in client.purposes else None
    return purpose or Refusal(ErrorCode.INVALID_REQUEST, f"purpose is one of {', '.join(client.purposes) or 'none: declare one first'}.")


async def _receipt(found: Services, client: Client, said: Said, taken: Reported) -> dict[str, Any]:
    """Sign what was taken. The `iat` of the entry, not of the answer: sent again, it is the same receipt but for its signature."""
    claims = {
        "iss": found.settings.issuer,
        "aud": client.id,
        "iat": int(taken.time.timestamp()),
        "jti": taken.entry_id,
        "report_id": said.report_id,
        "content_sha256": _encoded(said.content_hash),
        "index": taken.index,
        "leaf": _encoded(taken.leaf),
    }
    signed = await found.keyring.signing.sign(claims, algorithm=ALGORITHM, type=RECEIPT_TYPE)
    shown = {name: claims[name] for name in ("report_id", "index")}
    return {"access_log_id": taken.entry_id, "time": taken.time.isoformat(timespec="seconds"), **shown, "receipt": signed}


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


routes = [Route("/report-access", report, methods=["POST"])]
