"""What the measured requests use up: citizens, grants, sessions, authorizations, codes, refresh tokens, signed tokens.

People, grants, sessions and authorizations come about through the stores, as in life. Codes and refresh tokens, of which a measurement
uses up thousands, are inserted in bulk.
"""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import hashlib
import itertools
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlencode

import asyncpg
import sqlalchemy as sa

from consent.records import Asking, Card
from idp.accounts.records import Account, Source, Value
from idp.authorizations import details
from idp.authorizations.records import Authorization, CodeBinding
from idp.authorizations.tables import authorizations, codes, refresh_tokens
from idp.clients.records import Added, Agency
from idp.demo.seed import PURPOSES
from idp.protocol import issue
from idp.spec import client_metadata
from idp.spec.assurance import AAL1
from keys.opaque import new_id, new_token
from tests.load.client import request
from tests.load.floors import PASSWORD, sign
from tests.load.proofs import KEY_OF_ALL, Proofs

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from consent.records import Purpose
    from idp.clients.records import Client
    from idp.protocol.services import Services

CLAIMS = ("birthdate", "email", "gender", "name", "phone_number")
SCOPE = ("openid", "profile", "email", "phone")
REDIRECT = "http://localhost:9/callback"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
TOGETHER = 8
_BULK = 500
_MORE = """
[[optional]]
claim = "birthdate"
relevance = {id = "Beban.", en = "Load."}
[[optional]]
claim = "gender"
relevance = {id = "Beban.", en = "Load."}
"""


@dataclass(frozen=True)
class Citizen:
    """Somebody with a password, a session in a browser, and an authorization of the application."""

    person: str
    email: str
    nik: str
    browser: str
    session: str
    cookie: str
    authorization: Authorization


class Supplies:
    """Makes prepared requests for our provider. Open it with `make`."""

    def __init__(self, services: Services, clients: dict[str, tuple[Client, str]], citizens: list[Citizen]) -> None:
        self._found = services
        self._clients = clients
        self.citizens = citizens

    def password(self, by: Literal["email", "nik"] = "email") -> list[bytes]:
        """POST the sign-in form: its token, the citizen's browser, identifier and password."""
        requests = []
        for citizen in self.citizens:
            token = self._found.forms.token("login", citizen.browser)
            body = urlencode({"form_token": token, "identifier": getattr(citizen, by), "password": PASSWORD.decode()}).encode()
            requests.append(request("POST", "/login", headers={**_FORM, "cookie": f"gerbang_browser={citizen.browser}"}, body=body))
        return requests

    def client_credentials(self) -> list[bytes]:
        """POST /token of an application for itself."""
        return [self._posted("/token", {"grant_type": "client_credentials"})]

    async def codes(self, count: int, client_id: str = "beban") -> list[bytes]:
        """Make codes, each with an authorization of its own, and the requests that redeem them."""
        now, digests, made = self._found.clock(), self._found.keyring.digests, [new_token() for _ in range(count)]
        approvals = [replace(self._of(number).authorization, id=new_id(), client=client_id) for number in range(count)]
        await self._insert(authorizations, [_row(approval) for approval in approvals])
        rows = [
            {
                "digest": digests.digest("code", code), "authorization": approval.id, "client": client_id, "redirect_uri": REDIRECT,
                "code_challenge": CHALLENGE, "nonce": "n", "expires_at": now + dt.timedelta(hours=2),
            }
            for code, approval in zip(made, approvals, strict=True)
        ]  # fmt: skip
        await self._insert(codes, rows)
        fields = {"grant_type": "authorization_code", "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
        return [self._posted("/token", {**fields, "code": code}, client_id) for code in made]

    async def refreshes(self, count: int, scope: str | None) -> list[bytes]:
        """Make refresh tokens and the requests that use them; a scope without openid asks for no ID Token."""
        now, digests, made = self._found.clock(), self._found.keyring.digests, [new_token() for _ in range(count)]
        rows = [
            {
                "digest": digests.digest("refresh", token), "authorization": self._of(number).authorization.id, "client": "beban",
                "issued_at": now,
            }
            for number, token in enumerate(made)
        ]  # fmt: skip
        await self._insert(refresh_tokens, rows)
        asked = {"scope": scope} if scope else {}
        return [self._posted("/token", {"grant_type": "refresh_token", "refresh_token": token, **asked}) for token in made]

    async def userinfo(self) -> list[bytes]:
        """GET /userinfo: five values of the citizen."""
        return [request("GET", "/userinfo", headers={"authorization": f"Bearer {token}"}) for token in await self._tokens()]

    async def userinfo_dpop(self, count: int) -> Sequence[bytes]:
        """GET /userinfo with tokens that are bound to a key, and a proof for each."""
        bound = await self._tokens({"jkt": KEY_OF_ALL.thumbprint()})
        return Proofs(self._found.settings.issuer, [bound[number % len(bound)] for number in range(count)])

    async def introspect(self) -> list[bytes]:
        """POST /introspect about access tokens."""
        return [self._posted("/introspect", {"token": token}) for token in await self._tokens()]

    def pushed(self) -> list[bytes]:
        """POST /par: a request that is checked and kept sealed."""
        return [self._posted("/par", _ASKED)]

    def single_sign_on(self) -> list[bytes]:
        """GET /authorize of citizens who are signed in and have allowed everything: the answer is a code."""
        cookies = [f"gerbang_browser={citizen.browser}; gerbang_session={citizen.cookie}" for citizen in self.citizens]
        return [request("GET", f"/authorize?{urlencode(_ASKED)}", headers={"cookie": cookie}) for cookie in cookies]

    async def _tokens(self, cnf: Mapping[str, str] | None = None) -> Sequence[str]:
        client, _ = self._clients["beban"]
        now, scope = self._found.clock(), SCOPE
        return [(await issue.access_token(self._found, client, one.authorization, scope, now, cnf=cnf)).token for one in self.citizens]

    def _of(self, number: int) -> Citizen:
        return self.citizens[number % len(self.citizens)]

    def _posted(self, path: str, fields: dict[str, str], client_id: str = "beban") -> bytes:
        _, secret = self._clients[client_id]
        basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        return request("POST", path, headers={**_FORM, "authorization": f"Basic {basic}"}, body=urlencode(fields).encode())

    async def _insert(self, table: sa.Table, rows: list[dict[str, object]]) -> None:
        for first in range(0, len(rows), _BULK):
            async with self._found.database.transaction() as transaction:
                await transaction.execute(sa.insert(table), rows[first : first + _BULK])
                await transaction.commit()


async def make(services: Services, citizens: int) -> Supplies:
    """Fill empty stores."""
    declaration = (PURPOSES / "aduan.toml").read_text(encoding="utf-8").replace('id = "aduan"', 'id = "beban"', 1)
    purpose = await services.consent.purposes.add(declaration + _MORE)
    agency = Agency("diskominfo", {"id": "Diskominfo", "en": "Diskominfo"}, None, None)
    await services.clients.put_agency(agency, services.clock())
    clients = {name: await _client(services, agency, name, algorithm) for name, algorithm in (("beban", "ES256"), ("biasa", "RS256"))}
    hashed = await services.keyring.passwords.hash(PASSWORD.decode())
    client = clients["beban"][0]
    made = await _several(citizens, lambda number: _citizen(services, client, purpose, number, hashed))
    return Supplies(services, clients, made)


async def _several(count: int, one: Callable[[int], Awaitable[Citizen]]) -> list[Citizen]:
    found: list[Citizen] = []
    for first in range(0, count, TOGETHER):
        found += await asyncio.gather(*(one(number) for number in range(first, min(first + TOGETHER, count))))
    return found


async def _client(services: Services, agency: Agency, client_id: str, algorithm: str) -> tuple[Client, str]:
    scope = " ".join((*SCOPE, "offline_access", "beban.tulis"))
    document = {
        "client_id": client_id, "client_name": "Beban", "redirect_uris": [REDIRECT], "scope": scope,
        "purposes": ["beban"], "default_purpose": "beban", "id_token_signed_response_alg": algorithm,
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
    }  # fmt: skip
    metadata = client_metadata.read(document)
    assert not isinstance(metadata, tuple), metadata
    added = await services.clients.add(metadata, agency, services.clock())
    assert isinstance(added, Added)
    assert added.secret
    return added.client, added.secret


async def _citizen(services: Services, client: Client, purpose: Purpose, number: int, hashed: str) -> Citizen:
    now, email, nik = services.clock(), f"warga{number}@example.com", f"647101710190{number + 1:04d}"
    values = {
        "name": f"Warga {number}", "email": email, "nik": nik, "phone_number": f"+62812{number:08d}", "birthdate": "1990-01-31",
        "gender": "female",
    }  # fmt: skip
    verified = [Value(claim, value, Source.VERIFIED, "officer", "ktp-el") for claim, value in values.items()]
    account = await services.accounts.create(values=verified, now=now, password_hash=hashed)
    assert isinstance(account, Account)
    asking = Asking(person=account.person, client=client.id, client_name=client.name, acr=AAL1, auth_time=now)
    claims = frozenset(CLAIMS)
    given = await services.consent.ledger.give(asking, purpose, claims, Card("consent/1", "id", "ab" * 32, claims))
    session, cookie = await services.sessions.start(person=account.person, acr=AAL1, amr=("pwd",), now=now, remembered=True)
    authorization = Authorization(
        id=new_id(), grant=given.grant.id, client=client.id, person=account.person, session=session.id,
        sid=await services.sessions.sid(session.id, client.id), scope=SCOPE, claims={"userinfo": claims}, purpose=purpose.id,
        purpose_version=purpose.version, acr=AAL1, amr=("pwd",), auth_time=now, created_at=now, ends_at=now + dt.timedelta(days=30),
    )  # fmt: skip
    binding = CodeBinding(client.id, REDIRECT, CHALLENGE, None)
    await services.authorizations.issue(authorization, binding, expires_at=now + dt.timedelta(hours=2))
    return Citizen(account.person, email, nik, new_id(), session.id, cookie, authorization)


def _row(authorization: Authorization) -> dict[str, object]:
    columns = ("id", "grant", "client", "person", "session", "created_at", "ends_at")
    return {name: getattr(authorization, name) for name in columns} | {"details": details.dump(authorization)}


_ASKED = {
    "response_type": "code", "client_id": "beban", "redirect_uri": REDIRECT, "scope": " ".join(SCOPE), "state": "s" * 22, "nonce": "n" * 22,
    "code_challenge": CHALLENGE, "code_challenge_method": "S256",
}  # fmt: skip
_FORM = {"content-type": "application/x-www-form-urlencoded"}


class FloorSupplies:
    """Makes prepared requests for the floors, with the rows that they read and use up."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def fill(self, count: int) -> None:
        """Make authorizations and tokens of them."""
        await self._copy("floor_authorizations", [(f"a{number}", f"p{number}", "active", b"") for number in range(count)])
        self._tokens = [sign({"authorization": f"a{number}"}) for number in range(count)]

    def password(self) -> list[bytes]:
        """A password."""
        return [request("POST", "/password", body=urlencode({"password": PASSWORD.decode()}).encode())]

    def client_credentials(self) -> list[bytes]:
        """A secret."""
        return [request("POST", "/client_credentials", body=b"grant_type=client_credentials&client_id=beban&client_secret=" + b"s" * 43)]

    def pushed(self) -> list[bytes]:
        """A request."""
        return [request("POST", "/pushed", body=urlencode({**_ASKED, "client_secret": "s" * 43}).encode())]

    async def codes(self, count: int) -> list[bytes]:
        """Codes with their rows."""
        return await self._one_use("floor_codes", "/code", "code", count)

    async def refreshes(self, count: int) -> list[bytes]:
        """Refresh tokens with their rows."""
        return await self._one_use("floor_refresh", "/refresh", "refresh_token", count)

    def userinfo(self) -> list[bytes]:
        """Tokens."""
        return [request("GET", "/userinfo", headers={"authorization": f"Bearer {token}"}) for token in self._tokens]

    def userinfo_dpop(self, count: int) -> list[bytes]:
        """Tokens, and a proof of its own for each request."""
        tokens, now = itertools.cycle(self._tokens), int(time.time())
        proofs = [sign({"jti": new_id(), "iat": now, "htm": "GET", "htu": "x" * 32, "ath": "x" * 43}) for _ in range(count)]
        return [
            request("GET", "/userinfo_dpop", headers={"authorization": f"Bearer {token}", "dpop": proof})
            for proof, token in zip(proofs, tokens, strict=False)
        ]

    def introspect(self) -> list[bytes]:
        """Tokens."""
        return [request("POST", "/introspect", body=urlencode({"token": token}).encode()) for token in self._tokens]

    async def _one_use(self, table: str, path: str, field: str, count: int) -> list[bytes]:
        made = [new_token() for _ in range(count)]
        await self._copy(table, [(hashlib.sha256(one.encode()).digest(), None, "p1") for one in made])
        return [request("POST", path, body=urlencode({"grant_type": "x", field: one, "redirect_uri": REDIRECT}).encode()) for one in made]

    async def _copy(self, table: str, rows: list[tuple[object, ...]]) -> None:
        connection = await asyncpg.connect(self._url)
        await connection.copy_records_to_table(table, records=rows)
        await connection.close()
