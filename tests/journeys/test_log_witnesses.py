"""A provider whose log is watched: the witness over HTTP, what strangers then fetch, and what operators are told."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from consent import policy
from consent.checkpoint import VerifierKey
from consent.policy import PolicyInvalid
from consent.witness import endpoint
from idp import diagnosis, housekeeping
from idp.protocol import witnesses
from idp.protocol.witnesses import LARGEST, Network
from tests.support.log import grow
from tests.support.witnesses import NOW, SmallWitness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consent.access_log.records import CheckpointState
    from tests.support.running import Provider

ORIGIN = "localhost:8000/log"


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[SmallWitness]:
    """A witness whose clock is right; it learns the log's key when there is one."""
    made = SmallWitness(tmp_path, (VerifierKey(ORIGIN, bytes(32)),), now=dt.datetime.now(dt.UTC).timestamp())
    yield made
    made.memory.close()


@pytest.fixture
def provider_settings(tmp_path: Path, witness: SmallWitness) -> dict[str, Any]:
    path = tmp_path / "policy"
    path.write_text(f"witness unmul {witness.key} https://witness.example/unmul\nquorum unmul\n")
    return {"log_witness_policy_file": path}


@pytest.fixture
def provider_network(witness: SmallWitness) -> httpx2.AsyncBaseTransport:
    inner = httpx2.ASGITransport(endpoint.application(witness.witness))

    async def answer(request: httpx2.Request) -> httpx2.Response:
        path = request.url.path.removeprefix("/unmul")
        assert request.method == ("POST" if path == "/add-checkpoint" else "GET")
        moved = httpx2.Request(request.method, f"https://witness.example{path}", content=await request.aread(), headers=request.headers)
        response = await inner.handle_async_request(moved)
        return httpx2.Response(response.status_code, headers=response.headers, content=await response.aread())

    return httpx2.MockTransport(answer)


async def publish(provider: Provider, witness: SmallWitness) -> CheckpointState | None:
    """Sign what is there, and show it to the witness."""
    consent = provider.services.consent
    assert consent.signer
    assert consent.signer.publisher
    await consent.signer.sign_once()
    key = await consent.verifier_key()
    assert key
    witness.witness.logs[ORIGIN] = [key]  # type: ignore[index]
    consent.signer.publisher._next = None
    await consent.signer.publisher.publish_once()
    return await consent.published_checkpoint()


async def test_strangers_get_cosigned_checkpoints_and_proofs_and_a_rollback_turns_readiness_red(
    provider: Provider, witness: SmallWitness
) -> None:
    consent, http = provider.services.consent, await provider.client()
    assert (await http.get("/log/checkpoint")).status_code == 404
    token = (await provider.tokens())["access_token"]
    await grow(consent.database, 40)
    public = await publish(provider, witness)
    assert public
    known = policy.parse((provider.services.settings.log_witness_policy_file or pytest.fail("no policy")).read_text())
    assert known.missing((await http.get("/log/checkpoint")).text) is None
    assert (await http.get("/log/proof/3")).text.endswith(public.note)
    await housekeeping.measure(provider.services)
    metrics = (await http.get("/metrics")).text
    assert "gerbang_log_witnesses_late 0" in metrics
    assert 'gerbang_log_witness_age_seconds{witness="unmul"}' in metrics
    (standing,) = await consent.witnesses()
    assert str(standing).startswith("unmul cosigned 40 entries at 20")
    assert [one.grade for one in await diagnosis._witnesses(provider.services)] == ["ok"]

    witness.memory._connection.execute("UPDATE heads SET size = 45")  # as if the log had been put back
    await publish(provider, witness)
    await consent.access_log._watch.check()
    ready = await http.get("/readyz")
    assert ready.status_code == 503
    assert "the witness unmul cosigned 45 entries, this log has signed 40: an older state was put back" in ready.text
    assert (await provider.userinfo(token)).status_code == 503


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_a_witness_that_is_silent_for_too_long_is_told(provider: Provider, witness: SmallWitness) -> None:
    (standing,) = await provider.services.consent.witnesses()
    assert (standing.late, str(standing)) == (True, "unmul never cosigned")
    witness.now = NOW
    await publish(provider, witness)
    (standing,) = await provider.services.consent.witnesses()
    assert standing.late
    await housekeeping.measure(provider.services)
    assert "gerbang_log_witnesses_late 1" in (await (await provider.client()).get("/metrics")).text
    (found,) = await diagnosis._witnesses(provider.services)
    assert (found.grade, found.what) == ("warning", str(standing))


def line(url: str) -> str:
    return f"witness w {SmallWitnessKey} {url}\nquorum w\n"


SmallWitnessKey = "witness.example/w1+d7ec3267+BO2NXp96io5WwyFvQUEMfhRIAsqSo9DZ83HT1Nfgqy6k"


@pytest.mark.parametrize(
    "url", ["https://w.example", "https://w.example:8443/a/b", "http://127.0.0.1:8010", "http://localhost/", "http://[::1]:1"]
)
def test_a_witness_is_asked_over_https_or_on_this_machine(url: str) -> None:
    assert witnesses.read(line(url).encode()).witnesses[0].url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://w.example", "http://10.0.0.1", "ftp://w.example", "https://", "https://u:p@w.example", "https://w.example/?a=b",
        "https://w.example:99999", "//w.example", "http://localhost.evil.example", "https://w.example/#f", "",
    ],
)  # fmt: skip
def test_any_other_address_is_refused(url: str) -> None:
    with pytest.raises(PolicyInvalid):
        witnesses.read(line(url).encode())


def test_a_policy_that_is_not_text_is_refused() -> None:
    with pytest.raises(PolicyInvalid, match="UTF-8"):
        witnesses.read(b"\xff")


@pytest.mark.parametrize("answer", ["long", "gone", "redirect"])
async def test_the_network_reads_no_more_than_an_answer_can_be(answer: str) -> None:
    def respond(request: httpx2.Request) -> httpx2.Response:
        if answer == "gone":
            raise httpx2.ConnectError("refused", request=request)
        if answer == "redirect":
            return httpx2.Response(307, headers={"location": "http://169.254.169.254/"})
        return httpx2.Response(200, content=b"x" * (LARGEST + 1))

    from consent.conversation import Unreachable

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(respond)) as client:
        network = Network(client)
        if answer == "redirect":
            assert (await network("https://w.example/add-checkpoint", b"")).status == 307
            return
        with pytest.raises(Unreachable):
            await network("https://w.example/add-checkpoint", b"")
