"""The OpenAPI description of the endpoints that programs speak to, served at /openapi.json.

They are plain routes (a path operation costs time in every request, design §9), so their description is written by hand; a test holds it
against the routes. Pages are for people and stand in no description.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi.openapi.utils import get_openapi

from idp.openapi import log, reads
from idp.openapi.parts import (
    ASSERTION,
    CALLER,
    CLIENT,
    CLIENT_REFUSALS,
    SCHEMAS,
    SECURITY,
    TEXT,
    TOO_OFTEN,
    Schema,
    answers,
    form,
    operation,
    takes,
)
from idp.spec.authorization_request import KNOWN

if TYPE_CHECKING:
    from fastapi import FastAPI


def describe(app: FastAPI) -> Schema:
    """Put the whole document together."""
    document: Schema = get_openapi(
        title="Gerbang",
        version=app.version,
        description="Single sign-on, identity and consent. Start at /.well-known/openid-configuration.",
        routes=[],
    )
    document["paths"] = PATHS
    document["components"] = {"securitySchemes": SECURITY, "schemas": SCHEMAS}
    return document


_READ_REFUSALS: Final = (
    (400, "Malformed request."),
    (401, "No living token, or the permission was withdrawn."),
    (403, "The token has not the scope openid."),
    (503, "The read could not be recorded, so nothing was told: `retry-after` says when."),
)
_REFUSED: Final = {str(status): answers(text, "Error") for status, text in (*CLIENT_REFUSALS, TOO_OFTEN)}
_CLAIMS: Final = {
    **answers("The citizen's claims that this application may read. `x-access-log-id` names the entry that records the read.", "Claims"),
    "headers": {"x-access-log-id": {"description": "Absent when nothing personal was told.", "schema": TEXT}},
}
_GRANTS: Final = (
    "code", "redirect_uri", "code_verifier", "refresh_token", "device_code", "auth_req_id", "subject_token", "subject_token_type",
    "requested_token_type", "audience", "scope", "resource",
)  # fmt: skip
_DEFERRED: Final = ("claims", "acr_values", "max_age", "ui_locales", "claims_locales", "resource", "authorization_details")
_PROOF: Final = [
    {"name": "DPoP", "in": "header", "required": False, "schema": TEXT, "description": "RFC 9449: a proof of the token's holder."}
]

PATHS: Final[Schema] = {
    "/.well-known/openid-configuration": {
        "get": operation("Metadata of the provider", "OpenID Connect Discovery", answers("Metadata.", "Metadata"))
    },
    "/.well-known/oauth-authorization-server": {
        "get": operation("Metadata of the authorization server", "RFC 8414", answers("Metadata.", "Metadata"))
    },
    "/.well-known/ssf-configuration": {
        "get": operation("Metadata of the transmitter of security events", "Shared Signals", answers("Metadata.", "Transmitter"))
    },
    "/jwks.json": {"get": operation("Public keys: pending, active and retired", "RFC 7517", answers("A JWK Set.", "Keys"))},
    "/token": {
        "post": operation(
            "Trade a code, a refresh token, a device's or counter's code or a citizen's token, or act as the application itself",
            "RFC 6749",
            answers("Tokens.", "Tokens"),
            refusals=CLIENT_REFUSALS,
            security=CLIENT,
            parameters=_PROOF,
            requestBody=form(("grant_type",), *_GRANTS, *ASSERTION),
        )
    },
    "/userinfo": {
        method: operation(
            "Read the citizen's data; the read is recorded first",
            "OpenID Connect Core",
            _CLAIMS,
            refusals=_READ_REFUSALS,
            parameters=_PROOF,
            security=[{"access_token": []}],
        )
        for method in ("get", "post")
    },
    "/par": {
        "post": operation(
            "Push an authorization request, and get the request_uri that stands for it",
            "RFC 9126",
            {},
            refusals=(*CLIENT_REFUSALS, TOO_OFTEN),
            security=CLIENT,
            parameters=_PROOF,
            requestBody=form((), "request", *sorted(KNOWN - {"client_id"}), *ASSERTION),
        )
        | {"responses": {"201": answers("Send the citizen to /authorize with client_id and this request_uri.", "Pushed"), **_REFUSED}}
    },
    "/introspect": {
        "post": operation(
            "Ask whether a token holds at this moment",
            "RFC 7662",
            answers("`active`, and what the asking application may know.", "Introspection"),
            refusals=CLIENT_REFUSALS,
            security=CLIENT,
            requestBody=form(("token",), "token_type_hint", *ASSERTION),
        )
    },
    "/revoke": {
        "post": operation(
            "End a token, and with a refresh token everything issued with it",
            "RFC 7009",
            {"description": "It holds no longer, or never did."},
            refusals=CLIENT_REFUSALS,
            security=CLIENT,
            requestBody=form(("token",), "token_type_hint", *ASSERTION),
        )
    },
}

PATHS["/device_authorization"] = {
    "post": operation(
        "Begin a sign-in that a citizen finishes on another device",
        "RFC 8628",
        answers("Show `user_code` and `verification_uri`, and poll /token by `device_code`.", "Device"),
        refusals=(*CLIENT_REFUSALS, TOO_OFTEN),
        security=CLIENT,
        requestBody=form((), "scope", *_DEFERRED, *ASSERTION),
    )
}
PATHS["/backchannel_authentication"] = {
    "post": operation(
        "Ask a citizen, whom a counter names, to answer on the own telephone",
        "CIBA",
        answers("Poll /token by `auth_req_id`.", "Backchannel"),
        refusals=(*CLIENT_REFUSALS, TOO_OFTEN),
        security=CLIENT,
        requestBody=form(("scope", "login_hint"), "binding_message", "requested_expiry", *_DEFERRED, *ASSERTION),
    )
}

_REGISTRATION_REFUSALS: Final = (
    (400, "The registration is refused; `error_description` names the field and what to mend."),
    (401, "The token is missing, or not one of this registration."),
    (415, "The body is not JSON."),
    (429, "Too many from this network: `retry-after` says when."),
)
_REGISTRATION: Final[Schema] = {
    "required": True,
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Registration"}}},
}
PATHS["/register"] = {
    "post": operation(
        "Register an application, where the operator allows it",
        "RFC 7591",
        answers("What was registered, with the credentials.", "Registered"),
        status=201,
        refusals=_REGISTRATION_REFUSALS,
        security=[{"access_token": []}, {}],
        requestBody=_REGISTRATION,
    )
}
PATHS["/register/{client}"] = {
    "parameters": [{"name": "client", "in": "path", "required": True, "schema": TEXT}],
    "get": operation(
        "Read a registration",
        "RFC 7592",
        answers("What is registered.", "Registered"),
        refusals=_REGISTRATION_REFUSALS[1:2],
        security=[{"access_token": []}],
    ),
    "put": operation(
        "Replace a registration",
        "RFC 7592",
        answers("What is registered now.", "Registered"),
        refusals=_REGISTRATION_REFUSALS[:3],
        security=[{"access_token": []}],
        requestBody=_REGISTRATION,
    ),
    "delete": operation(
        "Remove a registration, and end its tokens and what citizens allowed it",
        "RFC 7592",
        {"description": "It is gone."},
        status=204,
        refusals=_REGISTRATION_REFUSALS[1:2],
        security=[{"access_token": []}],
    ),
}

PATHS["/signals/poll"] = {
    "post": operation(
        "Fetch security events, and acknowledge those that were taken",
        "RFC 8936",
        answers("Signed events by their jti; whether more wait.", "Events"),
        refusals=(*CLIENT_REFUSALS, (403, "No stream to fetch from is set up.")),
        security=CALLER,
        requestBody=takes("Poll"),
    )
}
PATHS["/signals/verification"] = {
    "post": operation(
        "Ask for a verification event",
        "Shared Signals",
        {"description": "It is on its way."},
        status=204,
        refusals=(*CLIENT_REFUSALS, (404, "There is no such stream."), (429, "Too many wait.")),
        security=CALLER,
        requestBody=takes("Verification"),
    )
}

PATHS.update(log.PATHS)
PATHS.update(reads.PATHS)
