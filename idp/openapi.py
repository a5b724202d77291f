"""The OpenAPI description of the endpoints that programs speak to, served at /openapi.json.

They are plain routes (a path operation costs time in every request, design §9), so their description is written by hand; a test holds it
against the routes. Pages are for people and stand in no description.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi.openapi.utils import get_openapi

from idp.spec.authorization_request import KNOWN

if TYPE_CHECKING:
    from fastapi import FastAPI

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_NUMBER: Final[Schema] = {"type": "integer"}
_CALLER: Final[list[Schema]] = [{"client_secret_basic": []}, {"access_token": []}]
_CLIENT: Final[list[Schema]] = [{"client_secret_basic": []}, {"client_in_form": []}]


def describe(app: FastAPI) -> Schema:
    """Put the whole document together."""
    document: Schema = get_openapi(
        title="Gerbang",
        version=app.version,
        description="Single sign-on, identity and consent. Start at /.well-known/openid-configuration.",
        routes=[],
    )
    document["paths"] = PATHS
    document["components"] = {"securitySchemes": _SECURITY, "schemas": _SCHEMAS}
    return document


def _form(required: tuple[str, ...], *optional: str) -> Schema:
    schema = {"type": "object", "properties": dict.fromkeys((*required, *optional), _TEXT), "required": list(required)}
    return {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": schema}}}


def _json(description: str, schema: str) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


def _body(schema: str) -> Schema:
    return {"required": True, "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


def _object(required: dict[str, Schema], **optional: Schema) -> Schema:
    return {"type": "object", "properties": required | optional, "required": list(required)}


def _operation(summary: str, source: str, good: Schema, **more: Any) -> Schema:  # noqa: ANN401 - members of an OpenAPI operation
    """Describe one method of a path. `status`: of the good answer; `refusals`: status codes that carry an error object."""
    refusals, status = more.pop("refusals", ()), more.pop("status", 200)
    responses = {str(status): good} | {str(status): _json(text, "Error") for status, text in refusals}
    return {"summary": summary, "externalDocs": {"description": source, "url": _SOURCES[source]}, "responses": responses, **more}


_SOURCES: Final = {
    "RFC 6749": "https://www.rfc-editor.org/rfc/rfc6749",
    "RFC 7009": "https://www.rfc-editor.org/rfc/rfc7009",
    "RFC 7517": "https://www.rfc-editor.org/rfc/rfc7517",
    "RFC 7591": "https://www.rfc-editor.org/rfc/rfc7591",
    "RFC 7592": "https://www.rfc-editor.org/rfc/rfc7592",
    "RFC 7662": "https://www.rfc-editor.org/rfc/rfc7662",
    "RFC 9126": "https://www.rfc-editor.org/rfc/rfc9126",
    "RFC 8936": "https://www.rfc-editor.org/rfc/rfc8936",
    "Shared Signals": "https://openid.net/specs/openid-sharedsignals-framework-1_0.html",
    "RFC 8414": "https://www.rfc-editor.org/rfc/rfc8414",
    "OpenID Connect Core": "https://openid.net/specs/openid-connect-core-1_0.html",
    "OpenID Connect Discovery": "https://openid.net/specs/openid-connect-discovery-1_0.html",
}
_CLIENT_REFUSALS: Final = (
    (400, "The request is refused; `error_description` says what to mend."),
    (401, "The application did not authenticate as it is registered."),
    (415, "The body is of another content type."),
    (503, "Not now: `retry-after` says when."),
)
_READ_REFUSALS: Final = (
    (400, "Malformed request."),
    (401, "No living token, or the permission was withdrawn."),
    (403, "The token has not the scope openid."),
    (503, "The read could not be recorded, so nothing was told: `retry-after` says when."),
)
_REFUSED: Final = {str(status): _json(text, "Error") for status, text in _CLIENT_REFUSALS}
_CLAIMS: Final = {
    **_json("The citizen's claims that this application may read. `x-access-log-id` names the entry that records the read.", "Claims"),
    "headers": {"x-access-log-id": {"description": "Absent when nothing personal was told.", "schema": _TEXT}},
}
_ASSERTION: Final = ("client_id", "client_secret", "client_assertion_type", "client_assertion")

PATHS: Final[Schema] = {
    "/.well-known/openid-configuration": {
        "get": _operation("Metadata of the provider", "OpenID Connect Discovery", _json("Metadata.", "Metadata"))
    },
    "/.well-known/oauth-authorization-server": {
        "get": _operation("Metadata of the authorization server", "RFC 8414", _json("Metadata.", "Metadata"))
    },
    "/.well-known/ssf-configuration": {
        "get": _operation("Metadata of the transmitter of security events", "Shared Signals", _json("Metadata.", "Transmitter"))
    },
    "/jwks.json": {"get": _operation("Public keys: pending, active and retired", "RFC 7517", _json("A JWK Set.", "Keys"))},
    "/token": {
        "post": _operation(
            "Trade a code or a refresh token, or act as the application itself",
            "RFC 6749",
            _json("Tokens.", "Tokens"),
            refusals=_CLIENT_REFUSALS,
            security=_CLIENT,
            requestBody=_form(("grant_type",), "code", "redirect_uri", "code_verifier", "refresh_token", "scope", "resource", *_ASSERTION),
        )
    },
    "/userinfo": {
        method: _operation(
            "Read the citizen's data; the read is recorded first",
            "OpenID Connect Core",
            _CLAIMS,
            refusals=_READ_REFUSALS,
            security=[{"access_token": []}],
        )
        for method in ("get", "post")
    },
    "/par": {
        "post": _operation(
            "Push an authorization request, and get the request_uri that stands for it",
            "RFC 9126",
            {},
            refusals=_CLIENT_REFUSALS,
            security=_CLIENT,
            requestBody=_form((), "request", *sorted(KNOWN - {"client_id"}), *_ASSERTION),
        )
        | {"responses": {"201": _json("Send the citizen to /authorize with client_id and this request_uri.", "Pushed"), **_REFUSED}}
    },
    "/introspect": {
        "post": _operation(
            "Ask whether a token holds at this moment",
            "RFC 7662",
            _json("`active`, and what the asking application may know.", "Introspection"),
            refusals=_CLIENT_REFUSALS,
            security=_CLIENT,
            requestBody=_form(("token",), "token_type_hint", *_ASSERTION),
        )
    },
    "/revoke": {
        "post": _operation(
            "End a token, and with a refresh token everything issued with it",
            "RFC 7009",
            {"description": "It holds no longer, or never did."},
            refusals=_CLIENT_REFUSALS,
            security=_CLIENT,
            requestBody=_form(("token",), "token_type_hint", *_ASSERTION),
        )
    },
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
    "post": _operation(
        "Register an application, where the operator allows it",
        "RFC 7591",
        _json("What was registered, with the credentials.", "Registered"),
        status=201,
        refusals=_REGISTRATION_REFUSALS,
        security=[{"access_token": []}, {}],
        requestBody=_REGISTRATION,
    )
}
PATHS["/register/{client}"] = {
    "parameters": [{"name": "client", "in": "path", "required": True, "schema": _TEXT}],
    "get": _operation(
        "Read a registration",
        "RFC 7592",
        _json("What is registered.", "Registered"),
        refusals=_REGISTRATION_REFUSALS[1:2],
        security=[{"access_token": []}],
    ),
    "put": _operation(
        "Replace a registration",
        "RFC 7592",
        _json("What is registered now.", "Registered"),
        refusals=_REGISTRATION_REFUSALS[:3],
        security=[{"access_token": []}],
        requestBody=_REGISTRATION,
    ),
    "delete": _operation(
        "Remove a registration, and end its tokens and what citizens allowed it",
        "RFC 7592",
        {"description": "It is gone."},
        status=204,
        refusals=_REGISTRATION_REFUSALS[1:2],
        security=[{"access_token": []}],
    ),
}

PATHS["/signals/poll"] = {
    "post": _operation(
        "Fetch security events, and acknowledge those that were taken",
        "RFC 8936",
        _json("Signed events by their jti; whether more wait.", "Events"),
        refusals=(*_CLIENT_REFUSALS, (403, "No stream to fetch from is set up.")),
        security=_CALLER,
        requestBody=_body("Poll"),
    )
}
PATHS["/signals/verification"] = {
    "post": _operation(
        "Ask for a verification event",
        "Shared Signals",
        {"description": "It is on its way."},
        status=204,
        refusals=(*_CLIENT_REFUSALS, (404, "There is no such stream."), (429, "Too many wait.")),
        security=_CALLER,
        requestBody=_body("Verification"),
    )
}

_SECURITY: Final[Schema] = {
    "client_secret_basic": {"type": "http", "scheme": "basic", "description": "client_id and client_secret, each form-encoded."},
    "client_in_form": {
        "type": "apiKey",
        "in": "query",
        "name": "client_id",
        "description": "client_secret_post, private_key_jwt or a public client: as members of the form, never of the query.",
    },
    "access_token": {"type": "http", "scheme": "bearer"},
}

_SCHEMAS: Final[Schema] = {
    "Error": _object({"error": _TEXT}, error_description=_TEXT),
    "Tokens": _object(
        {"access_token": _TEXT, "token_type": {"const": "Bearer"}, "expires_in": _NUMBER}, scope=_TEXT, id_token=_TEXT, refresh_token=_TEXT
    ),
    "Claims": {**_object({"sub": _TEXT}), "additionalProperties": True},
    "Introspection": _object(
        {"active": {"type": "boolean"}}, sub=_TEXT, scope=_TEXT, client_id=_TEXT, exp=_NUMBER, iat=_NUMBER, iss=_TEXT, token_type=_TEXT
    ),
    "Poll": _object(
        {},
        maxEvents={"type": "integer", "minimum": 0},
        returnImmediately={"type": "boolean"},
        ack={"type": "array", "items": _TEXT},
        setErrs={"type": "object", "additionalProperties": {"type": "object"}},
    ),
    "Events": _object({"sets": {"type": "object", "additionalProperties": _TEXT}, "moreAvailable": {"type": "boolean"}}),
    "Verification": _object({"stream_id": _TEXT}, state=_TEXT),
    "Transmitter": {**_object({"issuer": _TEXT, "jwks_uri": _TEXT, "spec_version": _TEXT}), "additionalProperties": True},
    "Pushed": _object({"request_uri": _TEXT, "expires_in": _NUMBER}),
    "Registration": {**_object({"redirect_uris": {"type": "array", "items": _TEXT}}, client_name=_TEXT), "additionalProperties": True},
    "Registered": {
        **_object({"client_id": _TEXT, "registration_access_token": _TEXT, "registration_client_uri": _TEXT}, client_secret=_TEXT),
        "additionalProperties": True,
    },
    "Keys": _object({"keys": {"type": "array", "items": {"type": "object"}}}),
    "Metadata": {**_object({"issuer": _TEXT, "token_endpoint": _TEXT, "jwks_uri": _TEXT}), "additionalProperties": True},
}
