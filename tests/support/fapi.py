"""An application of profile fapi2, as the certification suite plays it: private_key_jwt, pushed requests, DPoP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import uuid4

from joserfc.jwk import ECKey

from idp.spec import client_assertion
from tests.support.application import CALLBACK, VERIFIER, parameters
from tests.support.proofs import Holder, sign

if TYPE_CHECKING:
    import httpx2

    from tests.support.application import Application


@dataclass
class FapiClient:
    """One registered client with its assertion key and its DPoP key."""

    app: Application
    client_id: str
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "fapi", "use": "sig"}, private=True))
    holder: Holder = field(init=False)

    def __post_init__(self) -> None:
        self.holder = Holder(self.app.provider)

    async def register(self, **more: Any) -> FapiClient:
        jwks = {"keys": [self.key.as_dict(private=False)]}
        how = {"profile": "fapi2", "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks} | more
        await self.app.register(self.client_id, secret=None, **how)
        return self

    def claims(self, **changes: object) -> dict[str, Any]:
        now = int(self.app.provider.clock().timestamp())
        usual: dict[str, object] = {
            "iss": self.client_id, "sub": self.client_id, "aud": self.app.provider.issuer, "exp": now + 60, "iat": now, "nbf": now,
            "jti": uuid4().hex,
        }  # fmt: skip
        return {name: value for name, value in (usual | changes).items() if value is not None}

    def credentials(self, assertion: str | None = None, **changes: object) -> dict[str, str]:
        """Authenticate by an assertion: a good one, one with other claims, or the one given."""
        made = assertion or sign(self.key, {"alg": "ES256", "kid": "fapi"}, self.claims(**changes))
        return {"client_assertion_type": client_assertion.TYPE, "client_assertion": made}

    async def push(self, *, proof: str | None = None, credentials: dict[str, str] | None = None, **changes: object) -> httpx2.Response:
        form = parameters(client_id=self.client_id, **changes) | (self.credentials() if credentials is None else credentials)
        return await self.app.http.post("/par", data=form, headers={"dpop": proof} if proof else {})

    async def code(self, *, proof: str | None = None, **changes: object) -> str:
        """Push, sign in, say yes."""
        pushed = await self.push(proof=proof, **changes)
        assert pushed.status_code == 201, pushed.text
        query = urlencode({"client_id": self.client_id, "request_uri": pushed.json()["request_uri"]})
        visitor = self.app.visitor
        page = await visitor.get(f"/authorize?{query}")
        for _ in range(4):
            if page.left is not None:
                break
            page = await (visitor.allow(page) if page.path == "/approve" else visitor.sign_in(page, self.app.provider.person()))
        return page.answer["code"]

    async def redeem(
        self, code: str, *, proof: str | None = "", credentials: dict[str, str] | None = None, **changes: object
    ) -> httpx2.Response:
        """Redeem; `proof`: "" makes a good one, None sends none."""
        form: dict[str, object] = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        return await self.send(form | changes, proof=proof, credentials=credentials)

    async def refresh(self, token: str, *, proof: str | None = "", credentials: dict[str, str] | None = None) -> httpx2.Response:
        return await self.send({"grant_type": "refresh_token", "refresh_token": token}, proof=proof, credentials=credentials)

    async def send(self, form: dict[str, object], *, proof: str | None = "", credentials: dict[str, str] | None = None) -> httpx2.Response:
        whole = form | (self.credentials() if credentials is None else credentials)
        proof = self.holder.proof() if proof == "" else proof
        return await self.app.token(whole, None, headers={"dpop": proof} if proof else {})

    async def tokens(self) -> dict[str, Any]:
        response = await self.redeem(await self.code())
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found
