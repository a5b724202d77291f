"""The floors: bare ASGI programs that do only the work no answer can avoid (tests/load, `make bench`).

They use the raw drivers and primitives, no framework, no validation, no headers beyond what HTTP needs. `GERBANG_FLOOR_DSN` names a
PostgreSQL database whose `floor_*` tables come from `SCHEMA`.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl

import asyncpg
from argon2.low_level import Type, hash_secret, verify_secret
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

SCHEMA = """
CREATE TABLE IF NOT EXISTS floor_codes (hash BYTEA PRIMARY KEY, consumed_at BIGINT, person TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS floor_refresh (hash BYTEA PRIMARY KEY, consumed_at BIGINT, person TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS floor_authorizations (id TEXT PRIMARY KEY, person TEXT NOT NULL, state TEXT NOT NULL, cells BYTEA NOT NULL);
CREATE TABLE IF NOT EXISTS floor_proofs (hash BYTEA PRIMARY KEY, expires_at BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS floor_pushed (hash BYTEA PRIMARY KEY, request BYTEA NOT NULL, expires_at BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS floor_log (idx BIGINT PRIMARY KEY, leaf BYTEA NOT NULL, record TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS floor_head (id INT PRIMARY KEY, size BIGINT NOT NULL);
INSERT INTO floor_head VALUES (1, 0) ON CONFLICT DO NOTHING;
"""

KEY = ec.derive_private_key(0x1234567890ABCDEF1234567890ABCDEF, ec.SECP256R1())
PUBLIC = KEY.public_key()
DIGEST_KEY = b"k" * 32
CELL_KEY = AESGCM(b"c" * 32)
ARGON = {"time_cost": 2, "memory_cost": 19 * 1024, "parallelism": 1}
PASSWORD = b"correct horse battery staple"
STORED = hash_secret(PASSWORD, b"s" * 16, hash_len=32, type=Type.ID, **ARGON)
CELLS = [CELL_KEY.encrypt(bytes([i]) * 12, b"v" * 24, b"a") for i in range(5)]


def _b64(value: bytes) -> bytes:
    return base64.urlsafe_b64encode(value).rstrip(b"=")


def sign(claims: dict[str, Any]) -> str:
    """Make an ES256 JWT with as little as possible."""
    signing_input = b"eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9." + _b64(json.dumps(claims).encode())
    r, s = decode_dss_signature(KEY.sign(signing_input, ec.ECDSA(SHA256())))
    return (signing_input + b"." + _b64(r.to_bytes(32) + s.to_bytes(32))).decode()


def verify(token: str) -> dict[str, Any]:
    """Check an ES256 JWT of `sign` and give its claims."""
    signing_input, _, signature = token.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    PUBLIC.verify(der, signing_input.encode(), ec.ECDSA(SHA256()))
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(signing_input.split(".")[1] + "=="))
    return claims


class Floor:
    """The application: one route per job of performance.md."""

    def __init__(self) -> None:
        self.pool: asyncpg.Pool | None = None
        self.threads = ThreadPoolExecutor(max_workers=max(1, (os.cpu_count() or 2)))
        self.waiting: list[tuple[bytes, str, asyncio.Future[int]]] = []
        self.flusher: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the pool of raw connections."""
        self.pool = await asyncpg.create_pool(os.environ["GERBANG_FLOOR_DSN"], min_size=4, max_size=8)

    async def answer(self, path: str, headers: dict[bytes, bytes], body: bytes) -> dict[str, Any]:
        """Do the work of one job."""
        form = dict(parse_qsl(body.decode()))
        return await getattr(self, "job_" + path.strip("/"))(form, headers)

    async def job_password(self, form: dict[str, str], headers: dict[bytes, bytes]) -> dict[str, Any]:
        """One Argon2id verification, off the event loop."""
        del headers
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self.threads, verify_secret, STORED, form["password"].encode(), Type.ID)
        return {"ok": True}

    async def job_client_credentials(self, form: dict[str, str], headers: dict[bytes, bytes]) -> dict[str, Any]:
        """Parse, one digest comparison, one signature."""
        del headers
        digest = hmac.digest(DIGEST_KEY, form["client_secret"].encode(), "sha256")
        hmac.compare_digest(digest, digest)
        return {"access_token": sign({"iat": int(time.time())}), "token_type": "Bearer", "expires_in": 300}

    async def job_pushed(self, form: dict[str, str], headers: dict[bytes, bytes]) -> dict[str, Any]:
        """One digest comparison, one sealed value, one INSERT."""
        del headers
        assert self.pool is not None
        digest = hmac.digest(DIGEST_KEY, form["client_secret"].encode(), "sha256")
        hmac.compare_digest(digest, digest)
        uri, nonce = _b64(os.urandom(32)).decode(), os.urandom(12)
        sealed = nonce + CELL_KEY.encrypt(nonce, json.dumps(form).encode(), b"a")
        await self.pool.execute(
            "INSERT INTO floor_pushed VALUES ($1, $2, $3)", hashlib.sha256(uri.encode()).digest(), sealed, time.time_ns()
        )
        return {"request_uri": uri, "expires_in": 60}

    async def job_code(self, form: dict[str, str], headers: dict[bytes, bytes]) -> dict[str, Any]:
        """One UPDATE … RETURNING, one INSERT, two signatures."""
        del headers
        assert self.pool is not None
        digest = hashlib.sha256(form["code"].encode()).digest()
        successor = os.urandom(32)
        async with self.pool.acquire() as connection:
            person = await connection.fetchval(
                "UPDATE floor_codes SET consumed_at = 1 WHERE hash = $1 AND consumed_at IS NULL RETURNING person", digest
            )
            await connection.execute("INSERT INTO floor_refresh VALUES ($1, NULL, $2)", hashlib.sha256(successor).digest(), person)
        return {"access_token": sign({"sub": person}), "id_token": sign({"sub": person}), "refresh_token": _b64(successor).decode()}

    async def job_refresh(self, form: dict[str, str], headers: dict[bytes, bytes]) -> dict[str, Any]:
        """One UPDATE … RETURNING, one INSERT, one signature."""
        del headers
        assert self.pool is not None
        digest = hashlib.sha256(form["refresh_token"].encode()).digest()
        successor = os.urandom(32)
        async with self.pool.acquire() as connection:
            person = await connection.fetchval(
                "UPDATE floor_refresh SET consumed_at = 1 WHERE hash = $1 AND consumed_at IS NULL RETURNING person", digest
            )
            await connection.execute("INSERT INTO floor_refresh VALUES ($1, NULL, $2)", hashlib.sha256(successor).digest(), person)
        return {"access_token": sign({"sub": person}), "refresh_token": _b64(successor).decode()}

    async def job_introspect(self, form: dict[str, str], headers: dict[bytes, bytes]) -> dict[str, Any]:
        """One verification, one SELECT."""
        del headers
        assert self.pool is not None
        claims = verify(form["token"])
        row = await self.pool.fetchrow("SELECT person, state FROM floor_authorizations WHERE id = $1", claims["authorization"])
        return {"active": row["state"] == "active", "sub": row["person"]}

    async def job_userinfo(self, form: dict[str, str], headers: dict[bytes, bytes]) -> dict[str, Any]:
        """One verification, one SELECT, a share of a batched append, five opened cells."""
        del form
        assert self.pool is not None
        claims = verify(headers[b"authorization"][7:].decode())
        row = await self.pool.fetchrow("SELECT person, state FROM floor_authorizations WHERE id = $1", claims["authorization"])
        index = await self.append(json.dumps({"claims": ["name"], "client": "aduan"}))
        values = [CELL_KEY.decrypt(bytes([i]) * 12, cell, b"a").decode() for i, cell in enumerate(CELLS)]
        return {"sub": row["person"], "index": index, "values": values}

    async def job_userinfo_dpop(self, form: dict[str, str], headers: dict[bytes, bytes]) -> dict[str, Any]:
        """The same, with a second verification and one INSERT more: the proof, and that it was not used before."""
        assert self.pool is not None
        proof = verify(headers[b"dpop"].decode())
        digest = hashlib.sha256(proof["jti"].encode()).digest()
        new = await self.pool.fetchval("INSERT INTO floor_proofs VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1", digest, proof["iat"])
        return await self.job_userinfo(form, headers) if new else {"error": "invalid_dpop_proof"}

    async def job_append(self, form: dict[str, str], headers: dict[bytes, bytes]) -> dict[str, Any]:
        """A share of a batched append."""
        del form, headers
        return {"index": await self.append(json.dumps({"claims": ["name"], "client": "aduan"}))}

    async def append(self, record: str) -> int:
        """Wait for the commit of the batch that this record is in."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.waiting.append((hashlib.sha256(record.encode()).digest(), record, future))
        if self.flusher is None or self.flusher.done():
            self.flusher = asyncio.create_task(self.flush())
        return await future

    async def flush(self) -> None:
        """Append what waits, 256 at a time, under the lock of the head row."""
        assert self.pool is not None
        await asyncio.sleep(0.002)
        while self.waiting:
            batch, self.waiting = self.waiting[:256], self.waiting[256:]
            async with self.pool.acquire() as connection, connection.transaction():
                size = await connection.fetchval("SELECT size FROM floor_head WHERE id = 1 FOR UPDATE")
                await connection.executemany(
                    "INSERT INTO floor_log VALUES ($1, $2, $3)",
                    [(size + offset, leaf, record) for offset, (leaf, record, _) in enumerate(batch)],
                )
                await connection.execute("UPDATE floor_head SET size = $1 WHERE id = 1", size + len(batch))
            for offset, (_, _, future) in enumerate(batch):
                if not future.done():
                    future.set_result(size + offset)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Speak ASGI."""
        if scope["type"] == "lifespan":
            await receive()
            await self.start()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        payload = json.dumps(await self.answer(scope["path"], dict(scope["headers"]), body)).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(payload)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": payload})


app = Floor()
