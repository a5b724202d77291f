"""What is told of an application: every field of its record, and enough to be read again as the same registration."""

from __future__ import annotations

from dataclasses import fields

from idp.clients.description import OURS, described, document_of
from idp.clients.records import Agency, Client
from idp.spec import client_metadata
from idp.spec.client_metadata import ClientMetadata

CLIENT = Client(
    id="aduan", name="Aduan", agency=Agency("dinas", {"id": "Dinas"}), auth_method="none", application_type="web", profile="openid",
    redirect_uris=("https://app.test/cb",), post_logout_redirect_uris=("https://app.test/",), grant_types=("authorization_code",),
    scopes=("openid",), purposes=("aduan",), default_purpose="aduan", sector="agency:dinas", origins=("https://app.test",),
    localized={"client_name#en": "Complaints"}, default_max_age=0, require_auth_time=True, frontchannel_logout_uri="https://app.test/f",
)  # fmt: skip
_OTHERWISE = {"agency", "sector", "secret_digest", "localized", "self_registered"}
"""Not fields of a registration, or told under names of their own."""
_RENAMED = {"id", "name", "auth_method", "id_token_alg", "uri", "scopes"}


def test_every_field_of_the_record_is_told() -> None:
    told = set(described(CLIENT))
    assert {field.name for field in fields(Client)} - _OTHERWISE - _RENAMED <= told
    assert told - {"client_name#en"} <= client_metadata.KNOWN
    assert told >= OURS


def test_a_registration_is_read_again_as_what_it_was() -> None:
    again = client_metadata.read(document_of(CLIENT))
    assert isinstance(again, ClientMetadata), again
    assert (again.client_name, again.scopes, again.localized) == ("Aduan", ("openid",), {"client_name#en": "Complaints"})
    assert (again.more["default_max_age"], again.more["require_auth_time"]) == (0, True)
    assert document_of(CLIENT)["frontchannel_logout_uri"] == "https://app.test/f"
