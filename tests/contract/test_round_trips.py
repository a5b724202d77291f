"""Design §9: database round trips are the budget; and one-use holds at the endpoints, with many at once, on both databases."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any
from unittest import mock
from urllib.parse import urlencode

import asyncpg
import pytest
import sqlalchemy as sa

from tests.conftest import KINDS
from tests.support.application import CALLBACK, SECRET, VERIFIER, parameters
from tests.support.proofs import Holder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.application import Application


WATCHING = (
    "SELECT delay_orders",
    "SELECT log_checkpoints",
    "SELECT log_entries",
    "SELECT log_tiles",
    "SELECT log_head.size, log_head.edge \n",
)
"""How statements begin by which the log watches its database, once a second, and delays are read, every fifteen: beside any request."""


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """These run on both databases."""
    return str(request.param)


@contextlib.contextmanager
def counted(app: Application) -> Iterator[list[str]]:
    """Collect the statements that go to the idp, consent and keys stores."""
    seen: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        del connection, cursor, rest
        seen.append(statement)

    found = app.provider.services

    async def fetch(connection: asyncpg.Connection, query: str, *rest: Any, **more: Any) -> list[asyncpg.Record]:
        seen.append(query)
        return await past(connection, query, *rest, **more)

    past = asyncpg.Connection.fetch  # what goes past SQLAlchemy (keys.prepared), which calls another method of the driver
    engines = [store.engine.sync_engine for store in (found.database, found.consent.database, found.keyring.database)]
    for engine in engines:
        sa.event.listen(engine, "before_cursor_execute", note)
    with mock.patch.object(asyncpg.Connection, "fetch", fetch):
        yield seen
    for engine in engines:
        sa.event.remove(engine, "before_cursor_execute", note)


async def test_a_token_answer_costs_one_round_trip_and_two_on_sqlite(app: Application, kind: str) -> None:
    allowed = 2 if kind == "sqlite" else 1
    code = (await app.through())["code"]
    with counted(app) as statements:
        tokens = (await app.redeem(code)).json()
    assert 0 < len(statements) <= allowed, statements
    with counted(app) as statements:
        await app.refresh(tokens["refresh_token"])
    assert 0 < len(statements) <= allowed, statements


async def test_a_dpop_proof_costs_one_round_trip_more(app: Application, kind: str) -> None:
    """The row that makes it one-use; the proof itself costs none, nor does its nonce."""
    holder, allowed = Holder(app.provider), 3 if kind == "sqlite" else 2
    code = (await app.through())["code"]
    form: dict[str, object] = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER,
    }  # fmt: skip
    with counted(app) as statements:
        answer = await app.token(form, headers={"dpop": holder.proof()})
    assert answer.json()["token_type"] == "DPoP"
    assert 0 < len(statements) <= allowed, statements
    bearer = (await app.tokens())["access_token"]
    with counted(app) as plain:
        await app.userinfo(bearer)
    with counted(app) as bound:
        await holder.userinfo(app.http, answer.json()["access_token"])
    assert len(spent(bound)) == len(spent(plain)) + 1, bound


async def test_introspection_costs_one_and_client_credentials_none(app: Application) -> None:
    await app.register("machine", grant_types=["client_credentials"], redirect_uris=None, purposes=None, scope="laporan")
    token = (await app.tokens())["access_token"]
    await app.token({"grant_type": "client_credentials"}, ("machine", SECRET))
    with counted(app) as statements:
        assert (await app.introspect(token))["active"]
    assert len(statements) == 1, statements
    with counted(app) as statements:
        assert (await app.token({"grant_type": "client_credentials"}, ("machine", SECRET))).status_code == 200
    assert statements == []


async def test_a_disclosure_costs_three_reads_and_an_append_of_four_round_trips(app: Application, kind: str) -> None:
    token = (await app.tokens())["access_token"]
    await app.userinfo(token)  # keys are remembered now
    with counted(app) as statements:
        assert (await app.userinfo(token)).status_code == 200
    assert len(spent(statements)) <= 3 + (9 if kind == "sqlite" else 3), (
        statements
    )  # PostgreSQL's BEGIN, which comes with the lock, and its COMMIT are not counted here


async def test_pushing_a_request_costs_one_and_opening_it_two_more_than_a_request_in_the_address(app: Application) -> None:
    await app.through()
    with counted(app) as plain:
        assert "code" in (await app.ask(prompt="none")).answer
    await app.http.post("/par", data=parameters(), auth=("app", SECRET))
    with counted(app) as statements:
        pushed = await app.http.post("/par", data=parameters(prompt="none"), auth=("app", SECRET))
    assert len(spent(statements)) == 1, statements
    query = urlencode({"client_id": "app", "request_uri": pushed.json()["request_uri"]})
    with counted(app) as opened:
        assert "code" in (await app.visitor.get(f"/authorize?{query}")).answer
    assert len(spent(opened)) == len(spent(plain)) + 2, opened  # it is opened, and used up


def spent(statements: list[str]) -> list[str]:
    """Leave out what the watch over the log asks beside the request."""
    return [statement for statement in statements if not statement.startswith(WATCHING)]


async def test_two_hundred_concurrent_redemptions_of_a_code_give_one_success(app: Application) -> None:
    code = (await app.through())["code"]
    responses = await asyncio.gather(*(app.redeem(code) for _ in range(200)))
    assert [response.status_code for response in responses].count(200) == 1
    assert {response.json().get("error") for response in responses} == {None, "invalid_grant"}


async def test_two_hundred_concurrent_refreshes_give_one_successor(app: Application) -> None:
    token = (await app.tokens())["refresh_token"]
    responses = await asyncio.gather(*(app.refresh(token) for _ in range(200)))
    assert {response.status_code for response in responses} == {200}
    assert len({response.json()["refresh_token"] for response in responses}) == 1


async def test_a_form_from_another_site_keeps_the_browser_and_its_session(app: Application) -> None:
    await app.through()
    stranger = await app.provider.client()  # what a cross-site POST looks like: no cookie comes along
    response = await stranger.post("/authorize", data=parameters(prompt="none", login_hint="siti@example.com"))
    assert response.status_code == 303
    assert "set-cookie" not in response.headers
    assert "siti" not in response.headers["location"]
    assert "code" in (await app.visitor.get(response.headers["location"])).answer
