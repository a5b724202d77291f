"""RFC 9207: the issuer in every authorization response."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.application import Application


async def test_2_a_good_answer_names_the_issuer(app: Application) -> None:
    assert (await app.through())["iss"] == app.provider.issuer


async def test_2_an_error_answer_names_the_issuer(app: Application) -> None:
    assert (await app.ask(prompt="none")).answer["iss"] == app.provider.issuer
    assert (await app.ask(response_type="token")).answer["iss"] == app.provider.issuer
    card = await app.visitor.sign_in(await app.ask(), app.provider.person())
    assert (await app.visitor.deny(card)).answer["iss"] == app.provider.issuer


async def test_2_form_post_names_the_issuer_too(app: Application) -> None:
    page = await app.ask(response_mode="form_post", prompt="none")
    assert page.form("error").fields["iss"] == app.provider.issuer


async def test_3_the_metadata_says_so(app: Application) -> None:
    document = (await app.http.get("/.well-known/openid-configuration")).json()
    assert document["authorization_response_iss_parameter_supported"] is True
    assert document["issuer"] == app.provider.issuer
