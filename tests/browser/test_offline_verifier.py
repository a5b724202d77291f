"""verify.html: one file, opened from the disk without a network, accepts what is good and names each tampering by its entry."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
import shutil
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe
from joserfc import jwt
from joserfc.jwk import ECKey

from consent import cosignature, policy, verify_policy
from consent.checkpoint import VerifierKey
from consent.cosignature import CosignerKey
from consent.findings import Verdict
from idp.audit.offline_page import NAME, offline_page
from tests.browser.conftest import SCREENSHOTS
from tests.support import synthetic_log
from tests.support.log import ORIGIN
from tests.support.tampering import PLACE, SIZE, TAMPERINGS
from tests.support.witnesses import private, public

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
KEY = synthetic_log.verifier_key()
HISTORY = synthetic_log.history_bytes(300)
NO_ED25519 = """
const known = crypto.subtle.importKey.bind(crypto.subtle);
crypto.subtle.importKey = (format, key, algorithm, ...rest) =>
  algorithm.name === "Ed25519" ? Promise.reject(new DOMException("unknown", "NotSupportedError")) : known(format, key, algorithm, ...rest);
"""


class Said(NamedTuple):
    """What the page says: good, unconfirmed, bad, or None when nothing was checked; the entry it names; all of its words."""

    verdict: str | None
    index: str | None
    text: str


class Offline:
    """The page in a browser without a network."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page = page
        self.folder = folder
        self.numbers = itertools.count()

    def check(
        self,
        *,
        folder: Path | None = None,
        history: bytes | None = None,
        files: Sequence[Path] = (),
        key: str = str(KEY),
        older: str = "",
        policy: str = "",
    ) -> Said:
        if folder:
            self.page.set_input_files("#folder", str(folder))
        elif files:
            self.page.set_input_files("#file", [])
            self.page.set_input_files("#file", list(map(str, files)))
        elif history is not None:
            file = self.folder / f"riwayat-{next(self.numbers)}.json"
            file.write_bytes(history)
            self.page.set_input_files("#file", str(file))
        self.page.fill("#key", key)
        self.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        self.page.fill("#older", older)
        self.page.fill("#policy", policy)
        self.page.evaluate("document.getElementById('result').replaceChildren()")
        self.page.click("#ask button.button")
        found = self.page.wait_for_selector(".verdict")
        assert found is not None
        return Said(found.get_attribute("data-verdict"), found.get_attribute("data-index"), self.page.inner_text("#result"))


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export in which all holds, with the page beside it."""
    folder = tmp_path_factory.mktemp("offline") / "ekspor"
    synthetic_log.write_export(folder, SIZE)
    (folder / NAME).write_bytes(offline_page())
    return folder


@pytest.fixture(scope="module")
def opened(chromium: Browser, good: Path) -> Iterator[Callable[..., Page]]:
    """Open the page from the disk; whatever it asks for or complains of fails the test."""
    contexts, wrong = [], []

    def open_(width: int = 1280, script: str = "") -> Page:
        context = chromium.new_context(offline=True, viewport={"width": width, "height": 800})
        contexts.append(context)
        context.add_init_script(script)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto((good / NAME).as_uri())
        page.on("request", lambda request: wrong.append(request.url))
        return page

    yield open_
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture(scope="module")
def offline(opened: Callable[..., Page], tmp_path_factory: pytest.TempPathFactory) -> Offline:
    """One page for many checks."""
    return Offline(opened(), tmp_path_factory.mktemp("histories"))


def test_a_good_export_is_accepted_and_reported(offline: Offline, good: Path) -> None:
    said = offline.check(folder=good, older=synthetic_log.write_export(offline.folder / "old", 257))
    assert said.verdict == "good"
    for part in (
        "Semua benar",
        "600 catatan",
        ORIGIN,
        KEY.fingerprint,
        "Aduan Warga",
        "198",
        "257 catatan lama masih sama",
        "peramban ini",
    ):
        assert part in said.text
    assert said.text.index("PBB “Kota” — daring") < said.text.index("Tanpa layanan")


@pytest.mark.parametrize("name", TAMPERINGS)
def test_each_tampering_of_an_export_is_refused_and_named(offline: Offline, good: Path, tmp_path: Path, name: str) -> None:
    folder = shutil.copytree(good, tmp_path / name)
    TAMPERINGS[name].change(folder)
    said = offline.check(folder=folder)
    index = TAMPERINGS[name].index
    assert (said.verdict, said.index) == ("bad", "" if index is None else str(index))


def test_only_the_key_from_elsewhere_makes_certain_who_signed(offline: Offline, good: Path) -> None:
    assert offline.check(folder=good, key="").verdict == "unconfirmed"
    assert offline.check(folder=good, key=KEY.fingerprint.upper()).verdict == "good"
    assert "tidak cocok dengan kunci" in offline.check(folder=good, key="0" * 64).text
    assert "tidak berbentuk benar" in offline.check(folder=good, key="abc").text
    other = VerifierKey(ORIGIN, bytes(31) + b"\1")
    assert offline.check(folder=good, key=str(other)).verdict == "bad"
    assert "bukan folder ekspor" in offline.check(folder=good / "tile").text


def test_an_older_checkpoint_of_other_entries_is_refused(offline: Offline, good: Path) -> None:
    assert "bukan yang ada di titik periksa lama" in offline.check(folder=good, older=synthetic_log.note(257, bytes(32))).text
    longer = offline.check(folder=good, older=synthetic_log.note(700, bytes(32)))
    assert (longer.verdict, "700 catatan, daftar ini hanya 600" in longer.text) == ("bad", True)


def cosigned(note: str, times: dict[str, dt.datetime], seed: str = "") -> str:
    """Add the cosignatures of these at these times; `seed`: a forger's, whose key is another."""
    text = note.rpartition("\n\n")[0] + "\n"
    for name, time in times.items():
        seconds = int(time.timestamp())
        key = CosignerKey(f"{name}.example", public(name))
        note += str(cosignature.signature(key, seconds, private(seed or name).sign(cosignature.message(text, seconds))))
    return note


def demanding(*names: str, least: int) -> str:
    lines = [f"witness {name} {CosignerKey(f'{name}.example', public(name))}" for name in names]
    return "\n".join([f"log {KEY}", *lines, f"group outside {least} {' '.join(names)}", "quorum outside", ""])


LAST = synthetic_log.FIRST_TIME + dt.timedelta(seconds=7 * (SIZE - 1))
SOON, LATE, EARLY = (LAST + dt.timedelta(minutes=minutes) for minutes in (1, 90, -90))
TWO_OF_THREE = demanding("W1", "W2", "W3", least=2)
WITNESSED = {  # the cosignatures of the checkpoint, who forged, and what the page says
    "enough": ({"W1": SOON, "W3": SOON}, "", "Cukup: W1 (24 Nov 2026"),
    "an unknown witness does not count": ({"W1": SOON, "stranger": SOON}, "", "belum cukup. Ada: W1. Tidak ada: W2, W3"),
    "an altered cosignature": ({"W1": SOON, "W2": SOON}, "forger", "atas nama saksi W1 palsu"),
    "cosigned before its last entry": ({"W1": EARLY, "W2": EARLY}, "", "padahal para saksi sudah menandatangani"),
    "one wrong clock": ({"W1": EARLY, "W2": SOON}, "", "Cukup: W1"),
}


@pytest.mark.parametrize("name", WITNESSED)
def test_witnesses_are_counted_and_their_times_compared_as_by_the_command(offline: Offline, good: Path, tmp_path: Path, name: str) -> None:
    times, forger, words = WITNESSED[name]
    note = cosigned((good / "checkpoint").read_text(), times, forger)
    folder = shutil.copytree(good, tmp_path / "export")
    (folder / "checkpoint").write_text(note)
    said = offline.check(folder=folder, policy=TWO_OF_THREE)
    demanded = policy.parse(TWO_OF_THREE)
    verdict = Verdict(SIZE, bytes(32), ORIGIN, ())
    judged = verify_policy.examined(verdict, demanded, note, None, {SIZE - 1: LAST.isoformat()})
    assert (said.verdict == "good") is judged.holds
    assert words in said.text
    assert said.index in {None, "", str(SIZE - 1)}
    history = json.loads(synthetic_log.history_bytes(SIZE))
    history["checkpoint"] = note
    of_citizen = offline.check(history=json.dumps(history).encode(), policy=TWO_OF_THREE)
    assert (of_citizen.verdict, words in of_citizen.text) == (said.verdict, True)


def test_a_list_of_witnesses_that_is_none_is_refused_and_an_older_log_is_held_against_their_times(offline: Offline, good: Path) -> None:
    assert "keliru di baris 2" in offline.check(folder=good, policy="log x\n".replace("x", str(KEY)) + "witness W1 broken").text
    assert "berapa saksi yang diperlukan" in offline.check(folder=good, policy=f"log {KEY}\n").text
    assert "daftar saksi belum diisi" in offline.check(folder=good).text
    older = cosigned(synthetic_log.write_export(offline.folder / "older", 300), {"W1": LATE})
    said = offline.check(folder=good, older=older, policy=demanding("W1", least=1).replace("quorum outside", "quorum none"))
    assert (said.verdict, said.index, "tanpa catatan ini" in said.text) == ("bad", "300", True)


def test_a_planned_change_of_key_is_followed_and_a_loss_is_not(offline: Offline, tmp_path: Path) -> None:
    synthetic_log.write_export(tmp_path / "planned", 300, "planned")
    said = offline.check(folder=tmp_path / "planned")
    assert (said.verdict, "Sejak catatan 99: pergantian terencana ke id.example/log/2" in said.text) == ("good", True)
    synthetic_log.write_export(tmp_path / "lost", 300, "lost")
    assert "Minta sidik jari baru di atas kertas" in offline.check(folder=tmp_path / "lost").text
    after = offline.check(folder=tmp_path / "lost", key=str(synthetic_log.next_verifier_key()))
    assert (after.verdict, "1 catatan HILANG" in after.text) == ("good", True)


def edited(change: Callable[[list[dict[str, Any]]], object]) -> bytes:
    value = json.loads(HISTORY)
    change(value["entries"])
    return json.dumps(value).encode()


def test_a_good_history_is_accepted(offline: Offline) -> None:
    said = offline.check(history=HISTORY)
    assert (said.verdict, "99, mulai dari catatan pertama Anda" in said.text) == ("good", True)
    assert "mulai dari catatan Anda nomor 41" in offline.check(history=synthetic_log.history_bytes(300, first=40)).text
    assert offline.check(history=HISTORY, key="").verdict == "unconfirmed"
    withheld = synthetic_log.history_bytes(300, withheld=12)
    assert offline.check(history=withheld).verdict == said.verdict
    assert "12" in offline.check(history=withheld.replace(b"KUHAP Pasal 38", b"KUHAP Pasal 39")).text


@pytest.mark.parametrize(
    ("change", "index"),
    [
        (lambda entries: entries[4]["record"].update(client_name="Pajak"), "12"),
        (lambda entries: entries[4]["subject"].update(person="p9"), "12"),
        (lambda entries: entries[4].update(leaf=entries[5]["leaf"]), "12"),
        (lambda entries: entries[4]["proof"].reverse(), "12"),
        (lambda entries: entries.pop(3), "12"),
        (lambda entries: entries.insert(4, entries[4]), "12"),
        (lambda entries: entries.insert(4, entries.pop(3)), "12"),
    ],
    ids=["record", "subject", "leaf", "proof", "deleted", "twice", "reordered"],
)
def test_each_tampering_of_a_history_is_refused_and_named(
    offline: Offline, change: Callable[[list[dict[str, Any]]], object], index: str
) -> None:
    said = offline.check(history=edited(change))
    assert (said.verdict, said.index) == ("bad", index)


def test_what_is_no_history_is_told(offline: Offline) -> None:
    assert "bukan berkas riwayat" in offline.check(history=b"{}").text
    assert "bukan berkas riwayat" in offline.check(history=HISTORY[:-50]).text


def receipt(folder: Path, key: ECKey, **changed: Any) -> Path:
    """A receipt of a permission as the city signs it, with its fields that the page shows."""
    purpose = {
        "title": "Aduan",
        "legality": "Perda 1/2026",
        "pii_information": [{"type": "email", "allowed": True}, {"type": "nik", "allowed": False}],
    }
    claims = {
        "iss": "https://id.example",
        "jti": "b1",
        "event": {"type": "given", "time": "2026-11-24T02:15:02+00:00"},
        "pii_controllers": [{"name": "Dinas Kominfo", "service": "Aduan Warga"}],
        "purposes": [purpose],
    }
    header = {"alg": "ES256", "typ": "consent-receipt+jwt", "kid": key.thumbprint(), **changed}
    file = folder / "bukti.jwt"
    file.write_text(jwt.encode(header, claims, key, algorithms=["ES256"]))
    return file


def test_a_receipt_of_a_permission_is_checked_with_the_citys_keys(offline: Offline, tmp_path: Path) -> None:
    key, other = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
    keys = tmp_path / "jwks.json"
    keys.write_text(json.dumps({"keys": [{**one.as_dict(private=False), "kid": one.thumbprint()} for one in (key, other)]}))
    good = receipt(tmp_path, key)
    said = offline.check(files=[good, keys], key="")
    assert said.verdict == "unconfirmed"
    assert all(
        part in said.text
        for part in ("Aduan Warga", "Dinas Kominfo", "Izin diberikan", "24 Nov 2026, 10.15 WITA", "email", key.thumbprint())
    )
    assert "nik" not in said.text
    assert offline.check(files=[keys, good], key=key.thumbprint()).verdict == "good"
    assert offline.check(files=[good, keys], key=other.thumbprint()).verdict == "bad"
    assert "bersama berkas kunci kota" in offline.check(files=[good]).text
    forged = receipt(tmp_path, ECKey.generate_key("P-256"), kid=key.thumbprint())
    assert (offline.check(files=[forged, keys], key="").verdict, "palsu" in offline.page.inner_text("#result")) == ("bad", True)
    assert "tidak ada dalam jwks.json" in offline.check(files=[receipt(tmp_path, ECKey.generate_key("P-256")), keys], key="").text
    assert "bukan bukti bertanda tangan" in offline.check(files=[receipt(tmp_path, key, typ="at+jwt"), keys], key="").text


def test_a_browser_without_ed25519_is_served_by_the_page_itself(opened: Callable[..., Page], good: Path, tmp_path: Path) -> None:
    """And RFC 8032's strictness holds there too: a changed signature is refused."""
    old = Offline(opened(script=NO_ED25519), tmp_path)
    said = old.check(folder=good)
    assert (said.verdict, "karena peramban belum mengenal Ed25519" in said.text) == ("good", True)
    folder = shutil.copytree(good, tmp_path / "forged")
    TAMPERINGS["signature_bit"].change(folder)
    assert old.check(folder=folder).verdict == "bad"


@pytest.mark.parametrize("width", [360, 1280])
def test_it_reads_well_in_both_languages(opened: Callable[..., Page], good: Path, tmp_path: Path, width: int) -> None:
    page = opened(width)
    offline = Offline(page, tmp_path)
    folder = shutil.copytree(good, tmp_path / "ekspor")
    TAMPERINGS["record_edited"].change(folder)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for language, said in (("id", f"Yang pertama salah: catatan nomor {PLACE}"), ("en", f"The first that is wrong: entry number {PLACE}")):
        assert said in offline.check(folder=folder).text
        page.screenshot(path=SCREENSHOTS / f"offline-verifier-{width}-{language}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        assert page.get_attribute("html", "lang") == language
        page.click("#language")
    assert width == 1280 or Axe().run(page).response["violations"] == []


def test_its_policy_lets_nothing_in_or_out() -> None:
    text = offline_page().decode()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy[1]
    assert re.findall(r"https?://(?!www\.w3\.org/)[^\s\"'<]+", text) == []
    assert text.index("Content-Security-Policy") < text.index("<style>") < text.index("<script>")


def test_both_languages_have_every_sentence() -> None:
    text = offline_page().decode()
    words = text[text.index("const WORDS = {") : text.index("// What people see")]
    indonesian, english = (set(re.findall(r"^    (\w+):", part, re.MULTILINE)) for part in words.split("\n  en: {"))
    assert indonesian == english
    said = (r'(?:Broken|wrong|\bt)\("(\w+)"', r'\bword: "(\w+)"', r'data-word="(\w+)"', r'\.add\([\w. +]+, "(\w+)"', r'return \["(\w+)"')
    codes = {code for pattern in said for code in re.findall(pattern, text)}
    assert len(codes) > 80
    assert {code for code in codes if code not in indonesian and f"{code}_" not in indonesian} == set()
