"""Invariant 4, "One use means one use": two hundred at once through the real interface, with two processes on PostgreSQL, one on SQLite."""

from __future__ import annotations

import asyncio
import collections
import datetime as dt
import json
import re
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import sqlalchemy as sa
from joserfc import jwt
from joserfc.jwk import ECKey

from idp.schema import metadata
from idp.spec import client_assertion
from keys.database import store_urls
from keys.opaque import new_id
from tests.support import running
from tests.support.crowd import Crowd, at_once, crowd, fields_of, inside
from tests.support.proofs import Holder
from tests.support.server import Server
from tests.support.visitor import current_code

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from pathlib import Path

    import httpx2

    from tests.support.running import Person
    from tests.support.visitor import Page, Visitor

pytestmark = pytest.mark.slow
PASSWORD = "kucing oranye tidur"
POOL_SECONDS = "60"
"""Two hundred at once on a busy machine wait for the pool; being told to come again (503) is another test's matter."""


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def raced(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One provider for all races: each takes another person, so that none disturbs the next."""
    folder, more = tmp_path_factory.mktemp("raced"), {"IDP_POOL_TIMEOUT": POOL_SECONDS}
    drop: Callable[[str], None] | None = None
    if request.param == "sqlite":
        shutil.copytree(request.getfixturevalue("filled_sqlite"), folder / "data")
        server = Server(store_urls(f"sqlite:///{folder}/data/idp.sqlite3", None, None), folder, 1, more)
    else:
        drop = request.getfixturevalue("drop_database")
        url = request.getfixturevalue("copy_database")(request.getfixturevalue("filled_postgres"), "t_raced")
        server = Server(store_urls(url, None, None), folder, 2, more)
    yield server.start()
    server.kill()
    assert '"event": "unexpected"' not in server.log.read_text()
    if drop is not None:
        drop("t_raced")


@pytest.fixture
async def racing(raced: Server) -> AsyncIterator[Crowd]:
    async with crowd(raced) as made:
        yield made


def counted(answers: Sequence[httpx2.Response]) -> dict[str, int]:
    """Count answers by status and error."""
    return collections.Counter(f"{one.status_code} {one.json().get('error', '')}".strip() for one in answers)


def outcomes(answers: Sequence[httpx2.Response]) -> dict[int, int]:
    return collections.Counter(one.status_code for one in answers)


async def test_a_code_is_redeemed_once_and_its_reuse_revokes_the_authorization_but_not_the_consent(racing: Crowd) -> None:
    visitor = await racing.visitor()
    code, asked = await racing.code(visitor)
    await racing.spread()
    answers = await at_once(lambda: racing.redeem(code, asked))
    assert counted(answers) == {"200": 1, "400 invalid_grant": 199}
    # RFC 6749 §4.1.2: "SHOULD revoke (when possible) all tokens previously issued based on that authorization code": for the winner may be
    # the thief.
    (won,) = [one.json() for one in answers if one.status_code == 200]
    read = await racing.userinfo(won["access_token"])
    assert (read.status_code, read.headers["www-authenticate"].count("invalid_token")) == (401, 1)
    assert "x-access-log-id" not in read.headers
    assert counted([await racing.refresh(won["refresh_token"])]) == {"400 invalid_grant": 1}
    # design §7: "Reuse of a code or refresh token revokes the authorization, never the consent": no card the second time.
    again, asked = await racing.code(visitor, prompt="none")
    assert (await racing.redeem(again, asked)).status_code == 200


async def test_a_refresh_token_has_one_successor_however_many_ask(racing: Crowd) -> None:
    tokens = await racing.tokens()
    await racing.spread()
    answers = await at_once(lambda: racing.refresh(tokens["refresh_token"]))
    assert counted(answers) == {"200": 200}  # within the grace, the same client gets the same successor
    (successor,) = {one.json()["refresh_token"] for one in answers}
    assert successor != tokens["refresh_token"]
    rows = await rows_beside(racing, successor)
    assert len(rows) == 2
    assert [row.consumed_at is None for row in rows].count(True) == 1
    assert (await racing.userinfo(answers[-1].json()["access_token"])).status_code == 200


async def test_a_used_successor_ends_the_grace_and_everything_with_it(racing: Crowd) -> None:
    tokens = await racing.tokens()
    successor = (await racing.refresh(tokens["refresh_token"])).json()["refresh_token"]
    newest = (await racing.refresh(successor)).json()
    await racing.spread()
    answers = await at_once(lambda: racing.refresh(tokens["refresh_token"]))
    assert counted(answers) == {"400 invalid_grant": 200}
    assert counted([await racing.refresh(newest["refresh_token"])]) == {"400 invalid_grant": 1}
    assert (await racing.userinfo(newest["access_token"])).status_code == 401
    assert len(await rows_beside(racing, successor)) == 3


async def rows_beside(racing: Crowd, token: str) -> Sequence[Any]:
    """Give the rows of all refresh tokens of the authorization that this one belongs to."""
    table = metadata.tables["refresh_tokens"]
    async with inside(racing.server) as services, services.database.read() as connection:
        digest = services.keyring.digests.digest("refresh", token)
        mine = sa.select(table.c.authorization).where(table.c.digest == digest).scalar_subquery()
        return (await connection.execute(sa.select(table).where(table.c.authorization == mine))).all()


async def test_a_pushed_request_yields_one_code(racing: Crowd) -> None:
    visitor = await racing.visitor()
    await racing.code(visitor)
    asked = dict(parse_qsl(urlsplit(running.ask(racing.server.issuer, racing.app).url).query))
    pushed = await racing.http.post("/par", data=asked, auth=racing.app.auth)
    assert pushed.status_code == 201, pushed.text
    address = "/authorize?" + urlencode({"client_id": racing.app.client_id, "request_uri": pushed.json()["request_uri"]})
    await at_once(lambda: visitor.client.get("/healthz"))
    answers = await at_once(lambda: visitor.client.get(address, headers={"accept": "text/html"}))
    assert outcomes(answers)[303] == 1
    assert set(outcomes(answers)) <= {303, 400, 409}
    assert sum("code=" in one.headers.get("location", "") for one in answers) == 1


async def test_a_recovery_code_works_once(racing: Crowd) -> None:
    started, visitor = time.time(), await racing.visitor()
    page = await visitor.get("/recover")
    page = await visitor.submit(page, page.form("identifier"), identifier=racing.person("sukarni").email)
    fields = fields_of(page, "code", "password", code=await racing.mailed_code(started), password=PASSWORD)
    answers = await race(racing, [(visitor, page, fields)])
    assert outcomes(answers) == {200: 1, 422: 199}


async def test_a_code_of_the_card_works_once(racing: Crowd) -> None:
    dewi = racing.person("dewi")
    owner = await racing.signed_in(dewi)
    page = await owner.get("/security/card")
    printed = await owner.submit(page, next(form for form in page.forms if form.action.startswith("/security/card")))
    card = re.findall(r"<li>(\d{4} \d{4})</li>", printed.text)
    assert len(card) == 16, printed.text
    waiting = [await waiting_for_a_factor(racing, dewi, code=card[3]) for _ in range(8)]
    answers = await race(racing, waiting)
    assert outcomes(answers)[303] == 1
    assert set(outcomes(answers)) <= {303, 409, 410, 422, 429}
    assert sum("gerbang_session" in one.headers.get("set-cookie", "") for one in answers) == 1


async def test_a_time_step_of_the_authenticator_works_once(racing: Crowd) -> None:
    budi = racing.person("budi")
    assert budi.totp_secret is not None
    waiting = [await waiting_for_a_factor(racing, budi) for _ in range(8)]
    code = current_code(budi.totp_secret)
    answers = await race(racing, [(visitor, page, fields | {"code": code}) for visitor, page, fields in waiting])
    assert outcomes(answers)[303] == 1
    assert set(outcomes(answers)) <= {303, 409, 410, 422, 429}
    assert sum("gerbang_session" in one.headers.get("set-cookie", "") for one in answers) == 1


Waiting = tuple["Visitor", "Page", dict[str, str]]


async def waiting_for_a_factor(racing: Crowd, person: Person, **typed: str) -> Waiting:
    """A browser where the password was right, and the second factor is asked for."""
    visitor = await racing.visitor()
    page = await visitor.get("/login")
    page = await visitor.submit(page, page.form("identifier", "password"), identifier=person.email, password=person.password)
    return visitor, page, fields_of(page, "code", **typed)


async def race(racing: Crowd, waiting: Sequence[Waiting]) -> Sequence[httpx2.Response]:
    """Send the forms of all browsers at once, two hundred in all."""
    for visitor, _, _ in waiting:
        await at_once(lambda visitor=visitor: visitor.client.get("/healthz"), 200 // len(waiting))  # type: ignore[misc]
    headers = {"origin": racing.server.issuer, "accept": "text/html"}
    asked = [
        visitor.client.post(page.url, data=fields, headers=headers) for _ in range(200 // len(waiting)) for visitor, page, fields in waiting
    ]
    return await asyncio.gather(*asked)


async def test_a_client_assertion_works_once(racing: Crowd, tmp_path: Path) -> None:
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
    document = {
        "client_id": "mesin",
        "client_name": "Mesin",
        "redirect_uris": ["https://mesin.test/cb"],
        "grant_types": ["authorization_code", "client_credentials"],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [key.as_dict(private=False)]},
        "purposes": ["aduan"],
    }
    (tmp_path / "mesin.json").write_text(json.dumps(document))
    racing.server.run("clients", "add", str(tmp_path / "mesin.json"), "--agency", "diskominfo")
    now = int(time.time())
    claims = {"iss": "mesin", "sub": "mesin", "aud": racing.server.issuer, "jti": new_id(), "iat": now, "exp": now + 120}
    fields = {
        "grant_type": "client_credentials",
        "client_assertion_type": client_assertion.TYPE,
        "client_assertion": jwt.encode({"alg": "ES256", "kid": key.kid}, claims, key),
    }
    await racing.spread()
    answers = await at_once(lambda: racing.http.post("/token", data=fields))
    assert counted(answers) == {"200": 1, "401 invalid_client": 199}


async def test_a_dpop_proof_works_once(racing: Crowd) -> None:
    """RFC 9449 §11.1, with two processes that share nothing but the database."""
    holder = Holder(Here(racing.server.issuer))
    code, asked = await racing.code()
    fields = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": racing.app.redirect_uri, "code_verifier": asked.verifier,
    }  # fmt: skip
    answer = await racing.http.post("/token", data=fields, auth=racing.app.auth, headers={"dpop": holder.proof()})
    token = answer.json()["access_token"]
    ahead = int(time.time()) + 50  # a busy machine needs its time for two hundred
    proof = holder.proof("GET", "/userinfo", token, iat=ahead)
    await racing.spread()
    answers = await at_once(lambda: holder.userinfo(racing.http, token, proof))
    assert counted(answers) == {"200": 1, "401 invalid_dpop_proof": 199}


async def test_one_proof_gives_one_token_whatever_the_endpoint_does_next(racing: Crowd) -> None:
    """Two hundred refreshes with one proof: one is answered, and the token's family lives on."""
    holder = Holder(Here(racing.server.issuer))
    first = (await racing.tokens())["refresh_token"]
    proof = holder.proof(iat=int(time.time()) + 50)
    fields = {"grant_type": "refresh_token", "refresh_token": first}
    await racing.spread()
    answers = await at_once(lambda: racing.http.post("/token", data=fields, auth=racing.app.auth, headers={"dpop": proof}))
    assert counted(answers) == {"200": 1, "400 invalid_dpop_proof": 199}
    successor = next(one for one in answers if one.status_code == 200).json()["refresh_token"]
    assert (await racing.refresh(successor)).status_code == 200


@dataclass(frozen=True)
class Here:
    """A provider elsewhere, as holders of keys know it."""

    issuer: str

    def clock(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)
