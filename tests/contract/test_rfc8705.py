"""RFC 8705: applications that prove themselves by a TLS certificate, and tokens that are bound to one. RFC 9440: how a proxy tells."""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import httpx2
import pytest
from cryptography import x509
from joserfc.jwk import ECKey

from idp.composition import compose
from idp.spec import client_metadata
from tests.support import running
from tests.support.application import AUTH, CALLBACK, VERIFIER, Application, parameters, part
from tests.support.certificates import DAY, Authority, Issued, issue
from tests.support.proofs import encode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.server import Server

NAME = "CN=Sistem Perizinan,OU=DPMPTSP,O=Pemerintah Kota Balikpapan,C=ID"
SUBJECT = x509.Name.from_rfc4514_string(NAME)
ALTERNATIVES = [
    x509.DNSName("mesin.dinas.test"),
    x509.UniformResourceIdentifier("https://dinas.test/mesin"),
    x509.IPAddress(ipaddress.ip_address("192.0.2.7")),
    x509.IPAddress(ipaddress.ip_address("2001:db8::7")),
    x509.RFC822Name("mesin@dinas.test"),
]
SERVER_AUTH, CLIENT_AUTH = x509.oid.ExtendedKeyUsageOID.SERVER_AUTH, x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\x05\x00")
MACHINE: dict[str, Any] = {"grant_types": ["client_credentials"], "redirect_uris": None, "purposes": None, "scope": "laporan"}
USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
    "encipher_only", "decipher_only",
)  # fmt: skip
PKI: dict[str, Any] = {**MACHINE, "secret": None, "token_endpoint_auth_method": "tls_client_auth"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def provider_settings(authority: Authority) -> dict[str, Any]:
    """A provider behind a proxy on this machine, which puts certificates into Client-Cert."""
    return {
        "trusted_proxies": "127.0.0.1/32", "client_certificate_header": "Client-Cert", "client_authorities_file": authority.file,
        "mtls_url": "https://mtls.localhost",
    }  # fmt: skip


@pytest.fixture
def good(authority: Authority) -> Issued:
    return issue(SUBJECT, by=authority.root, names=ALTERNATIVES)


def rfc9440(certificate: Issued) -> str:
    return f":{base64.b64encode(certificate.der).decode()}:"


def nginx(certificate: Issued) -> str:
    return quote(certificate.pem.decode())


async def ask(app: Application, header: str | None, client_id: str = "machine", **more: Any) -> httpx2.Response:
    headers = {"client-cert": header} if header is not None else {}
    return await app.token({"grant_type": "client_credentials", "client_id": client_id}, None, headers=headers, **more)


def thumbprint(certificate: Issued) -> str:
    from cryptography.hazmat.primitives.hashes import SHA256

    return encode(certificate.certificate.fingerprint(SHA256()))


# --- §2.1: issued by an authority -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "registered",
    [
        {"tls_client_auth_subject_dn": NAME},
        {"tls_client_auth_subject_dn": "cn=sistem  perizinan, ou=dpmptsp, o=PEMERINTAH KOTA BALIKPAPAN, c=id"},
        {"tls_client_auth_san_dns": "mesin.dinas.test"},
        {"tls_client_auth_san_uri": "https://dinas.test/mesin"},
        {"tls_client_auth_san_ip": "192.0.2.7"},
        {"tls_client_auth_san_ip": "2001:0db8:0:0:0:0:0:7"},
        {"tls_client_auth_san_email": "mesin@dinas.test"},
    ],
    ids=lambda one: "-".join(one)[16:] + str(len(str(one))),
)
async def test_2_1_2_a_certificate_of_an_authority_that_names_what_was_registered(
    app: Application, good: Issued, registered: dict[str, str]
) -> None:
    await app.register("machine", **PKI, **registered)
    for header in (rfc9440(good), nginx(good)):
        response = await ask(app, header)
        assert response.status_code == 200, response.text
        assert response.json()["token_type"] == "Bearer"


async def test_2_1_other_certificates_are_refused(app: Application, authority: Authority, good: Issued) -> None:
    await app.register("machine", **PKI, tls_client_auth_subject_dn=NAME)
    now = dt.datetime.now(dt.UTC)
    stranger = issue("Uji CA", ca=True)  # the same name as our authority
    intermediate = issue("Menengah", by=authority.root)  # no authority: it may not issue
    cases = {
        "no certificate": None,
        "empty header": "",
        "self-signed": rfc9440(issue(SUBJECT)),
        "another authority of the same name": rfc9440(issue(SUBJECT, by=stranger)),
        "issued by what is no authority": rfc9440(issue(SUBJECT, by=intermediate)),
        "another subject": rfc9440(issue("Lain", by=authority.root)),
        "fewer names": rfc9440(issue(x509.Name.from_rfc4514_string(NAME.partition(",")[2]), by=authority.root)),
        "expired": rfc9440(issue(SUBJECT, by=authority.root, start=now - 3 * DAY, end=now - DAY)),
        "not yet valid": rfc9440(issue(SUBJECT, by=authority.root, start=now + DAY, end=now + 3 * DAY)),
        "not a certificate": ":AAAA:",
        "not base64": ":!:",
        "a server's only": rfc9440(issue(SUBJECT, by=authority.root, extensions=[(x509.ExtendedKeyUsage([SERVER_AUTH]), False)])),
        "an unknown critical extension": rfc9440(issue(SUBJECT, by=authority.root, extensions=[(UNKNOWN, True)])),
        "a list": f"{rfc9440(good)}, {rfc9440(issue('Lain'))}",
        "bare base64": base64.b64encode(good.der).decode(),
        "huge": f":{'A' * 40000}:",
    }
    for name, header in cases.items():
        response = await ask(app, header)
        assert (response.status_code, response.json()["error"]) == (401, "invalid_client"), name
    assert (await ask(app, rfc9440(good))).status_code == 200
    further = [(x509.ExtendedKeyUsage([SERVER_AUTH, CLIENT_AUTH]), True), (UNKNOWN, False)]
    assert (await ask(app, rfc9440(issue(SUBJECT, by=authority.root, extensions=further)))).status_code == 200


async def test_authorities_that_may_not_sign_or_have_expired_are_none(good: Issued) -> None:
    from keys.certificates import read

    now = dt.datetime.now(dt.UTC)
    usage = dict.fromkeys(USAGES, False) | {"digital_signature": True}
    constrained = x509.NameConstraints(permitted_subtrees=[x509.DNSName("dinas.test")], excluded_subtrees=None)
    for authority in (
        issue("CA", ca=True, end=now - DAY, start=now - 3 * DAY),
        issue("CA", ca=False),
        issue("CA", ca=True, extensions=[(x509.KeyUsage(**usage), True)]),
        issue("CA", ca=True, extensions=[(constrained, True)]),
    ):
        assert not read(issue(SUBJECT, by=authority).der).issued_by([read(authority.der)], now)
    usage["key_cert_sign"] = True
    right = issue("CA", ca=True, extensions=[(x509.KeyUsage(**usage), True)])
    assert read(issue(SUBJECT, by=right).der).issued_by([read(good.der), read(right.der)], now)


async def test_the_authority_itself_is_no_client_and_two_headers_are_none(app: Application, authority: Authority, good: Issued) -> None:
    await app.register("machine", **PKI, tls_client_auth_subject_dn="CN=Uji CA")
    await app.register("other", **PKI, tls_client_auth_subject_dn=NAME)
    twice = [("client-cert", rfc9440(good)), ("Client-Cert", rfc9440(good))]
    form = {"grant_type": "client_credentials", "client_id": "other"}
    assert (await app.http.post("/token", data=form, headers=twice)).status_code == 401
    assert (await ask(app, rfc9440(issue("Uji CA", by=authority.root)))).status_code == 200


async def test_nobody_but_a_trusted_proxy_is_believed(app: Application, good: Issued) -> None:
    await app.register("machine", **PKI, tls_client_auth_subject_dn=NAME)
    form = {"grant_type": "client_credentials", "client_id": "machine"}
    for address in ("203.0.113.5", "127.0.0.2", "::1"):
        stranger = await app.provider.client(address)
        response = await stranger.post("/token", data=form, headers={"client-cert": rfc9440(good)})
        assert (response.status_code, response.json()["error"]) == (401, "invalid_client"), address
    for other in ("x-client-cert", "x-ssl-client-cert", "client-cert-chain"):
        assert (await app.http.post("/token", data=form, headers={other: rfc9440(good)})).status_code == 401


@pytest.mark.parametrize("provider_settings", [{"trusted_proxies": "127.0.0.1/32"}])
async def test_without_the_setting_no_header_is_believed_and_nothing_is_advertised(app: Application, good: Issued) -> None:
    await app.register("machine", **PKI, tls_client_auth_subject_dn=NAME)
    assert (await ask(app, rfc9440(good))).status_code == 401
    document = (await app.http.get("/.well-known/openid-configuration")).json()
    assert "tls_client_auth" not in document["token_endpoint_auth_methods_supported"]
    assert not {"tls_client_certificate_bound_access_tokens", "mtls_endpoint_aliases"} & set(document)


# --- §2.2: registered by itself ---------------------------------------------------------------------------------------------------------


def jwk(certificate: Issued, **more: object) -> dict[str, Any]:
    public = ECKey.import_key(certificate.key_pem).as_dict(private=False)
    return {**public, **more}


async def test_2_2_a_self_signed_certificate_that_stands_in_the_jwk_set(app: Application) -> None:
    one, two = issue("satu"), issue("dua")
    jwks = {"keys": [jwk(one, x5c=[base64.b64encode(one.der).decode()]), jwk(two, **{"x5t#S256": thumbprint(two)})]}
    await app.register("machine", **{**PKI, "token_endpoint_auth_method": "self_signed_tls_client_auth"}, jwks=jwks)
    for certificate in (one, two):
        assert (await ask(app, rfc9440(certificate))).status_code == 200
    now = dt.datetime.now(dt.UTC)
    same_key = Issued(issue("tiga").certificate, one.key)
    for other in (issue("satu"), same_key, issue("satu", start=now - 3 * DAY, end=now - DAY)):
        assert (await ask(app, rfc9440(other))).status_code == 401
    app.provider.clock.move(days=2)  # the registered one has expired
    assert (await ask(app, rfc9440(one))).status_code == 401


class _Served:
    certificates: tuple[Issued, ...] = ()

    @classmethod
    def handle(cls, request: httpx2.Request) -> httpx2.Response:
        del request
        keys = [jwk(one, x5c=[base64.b64encode(one.der).decode()]) for one in cls.certificates]
        return httpx2.Response(200, json={"keys": keys})


@pytest.mark.parametrize("provider_network", [httpx2.MockTransport(_Served.handle)])
async def test_2_2_2_certificates_may_be_exchanged_at_jwks_uri(app: Application) -> None:
    old, new = issue("lama"), issue("baru")
    _Served.certificates = (old,)
    how = {**PKI, "token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks_uri": "https://machine.test/jwks.json"}
    await app.register("machine", **how)
    assert (await ask(app, rfc9440(old))).status_code == 200
    _Served.certificates = (new,)
    app.provider.clock.move(seconds=31)
    assert (await ask(app, rfc9440(new))).status_code == 200
    assert (await ask(app, rfc9440(old))).status_code == 401


# --- §3: certificate-bound tokens -------------------------------------------------------------------------------------------------------


async def test_3_a_bound_token_is_good_only_with_its_certificate(app: Application, good: Issued, authority: Authority) -> None:
    await app.register("bound", tls_client_certificate_bound_access_tokens=True)
    code = (await app.through(client_id="bound"))["code"]
    form: dict[str, object] = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    refused = await app.token(form, ("bound", AUTH[1]))
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
    answer = (await app.token(form, ("bound", AUTH[1]), headers={"client-cert": rfc9440(good)})).json()
    token = answer["access_token"]
    assert answer["token_type"] == "Bearer"
    assert part(token, 1)["cnf"] == {"x5t#S256": thumbprint(good)}
    about = await app.introspect(token)
    assert (about["token_type"], about["cnf"]) == ("Bearer", {"x5t#S256": thumbprint(good)})
    for header, status in ((rfc9440(good), 200), (rfc9440(issue(SUBJECT, by=authority.root)), 401), (None, 401)):
        headers = {"authorization": f"Bearer {token}"} | ({"client-cert": header} if header else {})
        response = await app.http.get("/userinfo", headers=headers)
        assert response.status_code == status
        assert status == 200 or response.json()["error"] == "invalid_token"


async def test_7_1_refresh_tokens_of_public_clients_are_bound_to_the_certificate(app: Application) -> None:
    how = {"secret": None, "token_endpoint_auth_method": "none", "tls_client_certificate_bound_access_tokens": True}
    await app.register("kiosk", **how)
    mine, other = issue("kios"), issue("lain")
    code = (await app.through(client_id="kiosk"))["code"]
    form: dict[str, object] = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    answer = (await app.token({**form, "client_id": "kiosk"}, None, headers={"client-cert": rfc9440(mine)})).json()
    again: dict[str, object] = {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"], "client_id": "kiosk"}
    refused = await app.token(again, None, headers={"client-cert": rfc9440(other)})
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert (await app.token(again, None, headers={"client-cert": rfc9440(mine)})).status_code == 200


async def test_fapi2_with_mutual_tls_alone(app: Application, good: Issued, authority: Authority) -> None:
    """FAPI 2.0 Security Profile §5.3.2.1: mTLS for authentication and for the sender constraint, without DPoP."""
    how: dict[str, Any] = {"profile": "fapi2", "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": NAME}
    await app.register("fapi", secret=None, tls_client_certificate_bound_access_tokens=True, **how)
    headers = {"client-cert": rfc9440(good)}
    pushed = await app.http.post("/par", data=parameters(client_id="fapi"), headers=headers)
    assert pushed.status_code == 201, pushed.text
    query = urlencode({"client_id": "fapi", "request_uri": pushed.json()["request_uri"]})
    page = await app.visitor.sign_in(await app.visitor.get(f"/authorize?{query}"), app.provider.person())
    code = (await app.visitor.allow(page)).answer["code"]
    form: dict[str, object] = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    answer = (await app.token({**form, "client_id": "fapi"}, None, headers=headers)).json()
    assert part(answer["access_token"], 1)["cnf"] == {"x5t#S256": thumbprint(good)}
    again: dict[str, object] = {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"], "client_id": "fapi"}
    assert (await app.token(again, None)).status_code == 401
    renewed = issue(SUBJECT, by=authority.root)  # a confidential client may exchange its certificate
    assert (await app.token(again, None, headers={"client-cert": rfc9440(renewed)})).status_code == 200


# --- §5, §3.3: metadata ----------------------------------------------------------------------------------------------------------------


async def test_5_metadata_names_the_methods_and_the_other_addresses(app: Application) -> None:
    for path in ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"):
        document = (await app.http.get(path)).json()
        assert document["tls_client_certificate_bound_access_tokens"] is True
        assert {"tls_client_auth", "self_signed_tls_client_auth"} <= set(document["token_endpoint_auth_methods_supported"])
        aliases = document["mtls_endpoint_aliases"]
        assert aliases["pushed_authorization_request_endpoint"] == "https://mtls.localhost/par"
        assert aliases["token_endpoint"] == "https://mtls.localhost/token"
        assert {name: url for name, url in aliases.items() if not url.startswith("https://mtls.localhost/")} == {}
        assert "authorization_endpoint" not in aliases
    assert (await app.http.get("/.well-known/openid-configuration")).json()["mtls_endpoint_aliases"]["userinfo_endpoint"]


# --- our own TLS -----------------------------------------------------------------------------------------------------------------------


async def _register(server: Server) -> None:
    """Register "machine" in the stores of a running server."""
    document = {
        "client_id": "machine", "client_name": "Mesin", "grant_types": ["client_credentials"], "scope": "laporan",
        "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": NAME,
        "tls_client_certificate_bound_access_tokens": True,
    }  # fmt: skip
    metadata = client_metadata.read(document)
    assert isinstance(metadata, client_metadata.ClientMetadata), metadata
    async with compose(running.settings_for(server.urls, server.folder), background=False) as found:
        await found.clients.add(metadata, (await found.clients.agencies())[0], found.clock())


async def test_idp_serve_itself_takes_certificates_and_asks_nobody_for_one(
    server: Callable[..., Server], authority: Authority, tmp_path: Path, good: Issued
) -> None:
    certificate, key = issue("localhost", names=[x509.DNSName("localhost")]).files(tmp_path, "server")
    started = server(tls=(certificate, key), IDP_CLIENT_AUTHORITIES_FILE=str(authority.file))
    await _register(started)
    plain, shown, stranger = (ssl.create_default_context(cafile=str(certificate)) for _ in range(3))
    shown.load_cert_chain(*good.files(tmp_path, "client"))
    stranger.load_cert_chain(*issue(SUBJECT).files(tmp_path, "stranger"))
    form = {"grant_type": "client_credentials", "client_id": "machine"}
    async with httpx2.AsyncClient(base_url=started.issuer, verify=plain) as http:
        document = (await http.get("/.well-known/openid-configuration")).json()
        assert "tls_client_auth" in document["token_endpoint_auth_methods_supported"]
        assert (await http.post("/token", data=form)).status_code == 401
        assert (await http.post("/token", data=form, headers={"client-cert": rfc9440(good)})).status_code == 401
    async with httpx2.AsyncClient(base_url=started.issuer, verify=shown) as http:
        answer = (await http.post("/token", data=form)).json()
        assert part(answer["access_token"], 1)["cnf"] == {"x5t#S256": thumbprint(good)}
    with pytest.raises(httpx2.HTTPError):
        async with httpx2.AsyncClient(base_url=started.issuer, verify=stranger) as http:
            await http.post("/token", data=form)
