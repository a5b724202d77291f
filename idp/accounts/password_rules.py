"""Which passwords are refused, pure. NIST SP 800-63B §3.1.1.2: length, and a list of common ones; "Verifiers SHALL NOT impose
other composition rules".
"""  # noqa: D205

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST = 1024
PREFERRED = 12
FEW = 4

# Words that lists of leaked passwords are full of, here with the place's own. Digits and signs around them do not help.
COMMON = frozenset(
    """
    password passw0rd p4ssword pass admin administrator root user guest login welcome selamatdatang letmein qwerty qwertyuiop asdfghjkl
    asdfgh zxcvbnm qazwsx qwaszx iloveyou ilove monkey dragon sunshine princess football superman batman pokemon naruto whatever
    trustno1 master shadow michael jordan access flower hello freedom computer internet google facebook instagram whatsapp tiktok
    sayang sayangku sayangkamu akusayangkamu cinta cintaku cintakamu akucintakamu kamu rahasia sandi katasandi katakunci kunci
    bismillah alhamdulillah assalamualaikum insyaallah masyaallah subhanallah allahuakbar muhammad indonesia merdeka indonesiaraya garuda
    pancasila bhinnekatunggalika jakarta balikpapan balikpapanku samarinda kalimantan kalimantantimur kaltim banjar bugis jawa borneo
    beruangmadu kotabalikpapan persiba persija persib doraemon bintang matahari bulan bunga mawar melati kucing anjing
    keluarga keluargaku anakku ibuku ayahku mamaku papaku suamiku istriku bahagia sukses semangat terserah gakada tidakada gerbang
    gerbangkota warga wargakota dukcapil pemkot kelurahan kecamatan
    """.split()  # noqa: SIM905 - a list of words reads better so
)
RUNS = ("01234567890123456789", "98765432109876543210", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")


def problem(password: str, *, shortest: int, own: Iterable[str] = ()) -> str | None:
    """Name what is wrong: "short", "long", "common" or "own" (the person's own name or address); None when nothing is."""
    if len(password) < shortest:
        return "short"
    if len(password) > LONGEST:
        return "long"
    folded = password.casefold()
    if _common(folded):
        return "common"
    words = [word for value in own for word in _words(value)]
    return "own" if any(_core(folded) == word for word in words) else None


def _common(folded: str) -> bool:
    core = _core(folded)
    if len(set(folded)) <= FEW or any(folded in run * 2 for run in RUNS):
        return True
    halves = core[: len(core) // 2]
    return core in COMMON or (halves * 2 == core and halves in COMMON) or not core


def _core(folded: str) -> str:
    """Drop spaces, and the digits and signs that people put around a word."""
    return "".join(folded.split()).strip("0123456789!@#$%^&*()-_=+.,;:?/'\"")


def _words(value: str) -> list[str]:
    folded = value.casefold()
    whole = _core(folded)
    parts = [part for part in folded.replace("@", " ").replace(".", " ").split() if len(part) >= FEW]
    return [word for word in {whole, "".join(folded.split()), *parts} if word]
