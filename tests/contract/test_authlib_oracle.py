"""Authlib's server as oracle: the same request to both, and every difference with the sentence that decides it (decision record 0001)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from tests.support.application import AUTH, CALLBACK, SECRET, VERIFIER, Application, parameters
from tests.support.authlib_oracle import AuthlibOracle

if TYPE_CHECKING:
    from tests.support.authlib_oracle import Answer
    from tests.support.visitor import Page

SCOPE = "openid profile email"


@pytest.fixture
def oracle() -> AuthlibOracle:
    """Authlib's server, knowing the application that the contract tests play."""
    return AuthlibOracle(client_id="app", client_secret=SECRET, redirect_uri=CALLBACK, scope=SCOPE, issuer="https://oracle.test")


@dataclass(frozen=True)
class Case:
    """A request's changes; `ours` and `authlib` are outcomes; where they differ, `because` quotes the rule."""

    name: str
    changes: dict[str, str | None]
    ours: str
    authlib: str
    because: str = ""


SAME_AUTHORIZE = (
    ("a plain request", {}, "code"),
    ("no nonce", {"nonce": None}, "code"),
    ("no state", {"state": None}, "code"),
    ("an unknown parameter", {"extra": "foobar"}, "code"),
    ("no client_id", {"client_id": None}, "page"),
    ("an unknown client", {"client_id": "nobody"}, "page"),
    ("an unregistered redirect_uri", {"redirect_uri": "https://evil.test/cb"}, "page"),
    ("an unknown response_type", {"response_type": "magic"}, "redirect:unsupported_response_type"),
    ("prompt=none while signed in and allowed", {"prompt": "none"}, "code"),
    ("prompt=none with another value", {"prompt": "none login"}, "redirect:invalid_request"),
    ("a malformed code_challenge", {"code_challenge": "short"}, "redirect:invalid_request"),
    ("an unknown code_challenge_method", {"code_challenge_method": "S512"}, "redirect:invalid_request"),
)
DIFFERENT_AUTHORIZE = (
    Case(
        "max_age=0 while signed in",
        {"max_age": "0"},
        "asks",
        "code",
        "OpenID Connect Core §3.1.2.1: if the elapsed time is greater than this value, the OP MUST attempt to actively re-authenticate",
    ),
    Case(
        "prompt=login while signed in",
        {"prompt": "login"},
        "asks",
        "code",
        "OpenID Connect Core §3.1.2.1: prompt=login SHOULD prompt for reauthentication; Authlib leaves that to the page around it",
    ),
    Case(
        "prompt=consent while allowed",
        {"prompt": "consent"},
        "asks",
        "code",
        "OpenID Connect Core §3.1.2.1: prompt=consent SHOULD prompt for consent; Authlib leaves that to the page around it",
    ),
    Case(
        "an unknown prompt",
        {"prompt": "magic"},
        "redirect:invalid_request",
        "code",
        "OpenID Connect Core §3.1.2.1 defines the values; a misspelt prompt=login must not pass silently",
    ),
    Case(
        "the plain challenge method",
        {"code_challenge": VERIFIER, "code_challenge_method": "plain"},
        "redirect:invalid_request",
        "code",
        "RFC 9700 §2.1.1: clients should use challenge methods that do not expose the verifier; S256 is the only such method",
    ),
    Case(
        "a challenge without its method",
        {"code_challenge_method": None},
        "redirect:invalid_request",
        "code",
        "RFC 7636 §4.3 defaults to plain, which exists nowhere here",
    ),
    Case(
        "a malformed max_age",
        {"max_age": "soon"},
        "redirect:invalid_request",
        "code",
        "OpenID Connect Core §3.1.2.1: max_age is a number of seconds; ignoring it would skip a demanded re-authentication",
    ),
    Case(
        "a redirect without response_type",
        {"response_type": None},
        "redirect:invalid_request",
        "redirect:unsupported_response_type",
        "RFC 6749 §4.1.2.1: a request that misses a required parameter is invalid_request",
    ),
    Case(
        "a request object that is none",
        {"request": "e30.e30."},
        "redirect:invalid_request_object",
        "code",
        "RFC 9101 §6.1: invalid_request_object; ignoring it would drop what the object demands",
    ),
    Case(
        "a request object by reference",
        {"request_uri": "https://app.test/request.jwt"},
        "redirect:request_uri_not_supported",
        "code",
        "OpenID Connect Core §3.1.2.6: request_uri_not_supported",
    ),
)


def _authlib_outcome(answer: Answer) -> str:
    if "location" not in answer.headers:
        return "page"
    return "code" if "code" in answer.location else f"redirect:{answer.error}"


def _our_outcome(page: Page) -> str:
    if page.left is not None:
        return "code" if "code" in page.answer else f"redirect:{page.answer['error']}"
    return "asks" if page.path in {"/login", "/approve"} else "page"


AUTHORIZE = [*(Case(name, changes, outcome, outcome) for name, changes, outcome in SAME_AUTHORIZE), *DIFFERENT_AUTHORIZE]


@pytest.mark.parametrize("case", AUTHORIZE, ids=lambda case: case.name)
async def test_authorization_requests(app: Application, oracle: AuthlibOracle, case: Case) -> None:
    await app.through()  # signed in, and everything allowed, as the oracle's person is
    ours = _our_outcome(await app.ask(**case.changes))
    theirs = _authlib_outcome(oracle.authorize(urlencode(parameters(**case.changes))))
    assert (ours, theirs) == (case.ours, case.authlib)
    assert (ours == theirs) is (case.because == "")


async def test_a_repeated_parameter_is_refused_by_both(app: Application, oracle: AuthlibOracle) -> None:
    """RFC 6749 §3.1: request and response parameters MUST NOT be included more than once."""
    query = f"{urlencode(parameters())}&response_type=code"
    assert _our_outcome(await app.visitor.get(f"/authorize?{query}")) in {"page", "redirect:invalid_request"}
    assert _authlib_outcome(oracle.authorize(query)) in {"page", "redirect:invalid_request"}


def _code_form(code: str) -> dict[str, str | None]:
    return {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}


TOKEN = (
    Case("the right request", {}, "200:tokens", "200:tokens"),
    Case("no code", {"code": None}, "400:invalid_request", "400:invalid_request"),
    Case("an unknown code", {"code": "nothing"}, "400:invalid_grant", "400:invalid_grant"),
    Case("another redirect_uri", {"redirect_uri": "https://app.test/other"}, "400:invalid_grant", "400:invalid_grant"),
    Case("no redirect_uri", {"redirect_uri": None}, "400:invalid_request", "400:invalid_grant",
         "RFC 6749 §4.1.3: redirect_uri is REQUIRED if it was in the authorization request; a missing parameter is invalid_request (§5.2)"),
    Case("another verifier", {"code_verifier": "x" * 43}, "400:invalid_grant", "400:invalid_grant"),
    Case("no verifier", {"code_verifier": None}, "400:invalid_grant", "400:invalid_request",
         "RFC 7636 §4.6: if the values are not equal, invalid_grant; so does the certification suite expect"),
    Case("an unknown grant_type", {"grant_type": "magic"}, "400:unsupported_grant_type", "400:unsupported_grant_type"),
    Case("no grant_type", {"grant_type": None}, "400:invalid_request", "400:unsupported_grant_type",
         "RFC 6749 §5.2: a request that misses a required parameter is invalid_request"),
)  # fmt: skip


@pytest.mark.parametrize("case", TOKEN, ids=lambda case: case.name)
async def test_token_requests(app: Application, oracle: AuthlibOracle, case: Case) -> None:
    our_code = (await app.through())["code"]
    their_code = oracle.authorize(urlencode(parameters())).location["code"]
    response = await app.token(dict(_code_form(our_code) | case.changes))
    answer = oracle.token([(name, value) for name, value in (_code_form(their_code) | case.changes).items() if value is not None], AUTH)
    ours = f"{response.status_code}:{response.json().get('error', 'tokens')}"
    assert (ours, f"{answer.status}:{answer.error or 'tokens'}") == (case.ours, case.authlib)
    assert (case.ours == case.authlib) is (case.because == "")


@pytest.mark.parametrize("auth", [("app", "salah"), ("nobody", SECRET), None], ids=["wrong secret", "unknown client", "none"])
async def test_failed_client_authentication_is_invalid_client_401_with_both(
    app: Application, oracle: AuthlibOracle, auth: tuple[str, str] | None
) -> None:
    response = await app.token(dict(_code_form("x")), auth)
    answer = oracle.token([("grant_type", "authorization_code"), ("code", "x"), ("client_id", "app")][: 2 if auth else 3], auth)
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert (answer.status, answer.error) == (401, "invalid_client")


async def test_both_rotate_refresh_tokens_and_ours_alone_notices_reuse(app: Application, oracle: AuthlibOracle) -> None:
    """RFC 9700 §4.14.2: on reuse the server must revoke the active refresh token as well; Authlib leaves the successor alive."""
    first = (await app.tokens(scope=f"{SCOPE} offline_access"))["refresh_token"]
    second = (await app.refresh(first)).json()["refresh_token"]
    third = (await app.refresh(second)).json()["refresh_token"]
    assert (await app.refresh(first)).json()["error"] == "invalid_grant"
    assert (await app.refresh(third)).json()["error"] == "invalid_grant"

    code = oracle.authorize(urlencode(parameters())).location["code"]
    issued = oracle.token([(name, value) for name, value in _code_form(code).items() if value], AUTH).body["refresh_token"]
    fresh = oracle.token([("grant_type", "refresh_token"), ("refresh_token", issued)], AUTH).body["refresh_token"]
    assert oracle.token([("grant_type", "refresh_token"), ("refresh_token", issued)], AUTH).error == "invalid_grant"
    assert oracle.token([("grant_type", "refresh_token"), ("refresh_token", fresh)], AUTH).status == 200


async def test_revocation_and_introspection_answer_alike(app: Application, oracle: AuthlibOracle) -> None:
    ours = (await app.tokens())["access_token"]
    code = oracle.authorize(urlencode(parameters())).location["code"]
    theirs = oracle.token([(name, value) for name, value in _code_form(code).items() if value], AUTH).body["access_token"]
    assert (await app.introspect(ours))["active"] is True
    assert oracle.endpoint("introspection", [("token", theirs)], AUTH).body["active"] is True
    for unknown in ("nothing", ""):
        form = [("token", unknown)] if unknown else [("token_type_hint", "access_token")]
        response = await app.http.post("/revoke", data=dict(form), auth=AUTH)
        assert response.status_code == oracle.endpoint("revocation", form, AUTH).status == (200 if unknown else 400)
    assert (await app.http.post("/revoke", data={"token": ours}, auth=AUTH)).status_code == 200
    assert oracle.endpoint("revocation", [("token", theirs)], AUTH).status == 200
    assert await app.introspect(ours) == {"active": False}
    assert oracle.endpoint("introspection", [("token", theirs)], AUTH).body == {"active": False}


# --- the reasons of decision record 0001: when one of these fails, read the record again ---------------------------------------------


def test_authlib_checks_a_code_then_acts_so_two_requests_at_once_both_succeed(oracle: AuthlibOracle) -> None:
    code = oracle.authorize(urlencode(parameters())).location["code"]
    form = [(name, value) for name, value in _code_form(code).items() if value]
    found = oracle.codes.copy()
    first = oracle.token(form, AUTH)
    oracle.codes.update(found)  # as the second request saw them: it looked the code up before the first deleted it
    assert [first.status, oracle.token(form, AUTH).status] == [200, 200]


def test_authlib_writes_tokens_to_its_debug_log(oracle: AuthlibOracle, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="authlib")
    code = oracle.authorize(urlencode(parameters())).location["code"]
    answer = oracle.token([(name, value) for name, value in _code_form(code).items() if value], AUTH)
    assert answer.body["access_token"] in caplog.text


async def test_ours_writes_no_token_to_any_log(
    app: Application, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = await app.through()
    tokens = (await app.redeem(answer["code"])).json()
    own = [record.getMessage() for record in caplog.records if not record.name.startswith(("httpx2", "httpcore2"))]  # the client's own log
    written = "\n".join(own) + "".join(capfd.readouterr())
    assert own
    for secret in (answer["code"], tokens["access_token"], tokens["id_token"], tokens.get("refresh_token", answer["code"]), SECRET):
        assert secret not in written


def test_the_oracle_redirects_to_where_we_expect() -> None:
    """The oracle itself is not a page that always says yes."""
    made = AuthlibOracle(client_id="app", client_secret=SECRET, redirect_uri=CALLBACK, scope=SCOPE, issuer="https://oracle.test")
    location = made.authorize(urlencode(parameters())).headers["location"]
    assert urlsplit(location)._replace(query="").geturl() == CALLBACK
    assert dict(parse_qsl(urlsplit(location).query))["state"] == "st-1"
