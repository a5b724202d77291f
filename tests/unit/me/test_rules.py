"""What the citizen's pages show, decided from records alone."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest

from consent.access_log.records import HistoryEntry
from idp.me import rules
from idp.me.entries import Names, by_day, entry_view, purposes_named
from idp.pages.texts import catalogue

NOW = dt.datetime(2026, 11, 24, 2, 15, tzinfo=dt.UTC)
KOMINFO = {"id": "Dinas Kominfo", "en": "Communications Office"}
TITLE = {"id": "Menindaklanjuti laporan", "en": "Following up reports"}


def entry(n: int = 0, time: dt.datetime = NOW, **record: Any) -> HistoryEntry:
    said = {
        "action": "disclose", "client": "aduan", "client_name": "Aduan Warga", "agency": "kominfo", "channel": "userinfo", "outcome": "ok",
        "claims": ["email", "name"], "legal_basis": "a", "purpose": {"declaration": "aduan", "version": 2},
    }  # fmt: skip
    return HistoryEntry(n, f"id{n}", n, time, {**said, **record}, {"person": "p", "grant": "g"})


NAMES = Names({"kominfo": KOMINFO}, {("aduan", 2): TITLE})


def details(view: Any, language: str = "id") -> dict[str, str]:
    lines = view.details(catalogue(language).text, lambda moment: moment.isoformat(), lambda text: text.get(language, ""))
    return {label: value for label, value, _ in lines}


def test_an_entry_tells_who_when_which_data_why_and_on_which_ground() -> None:
    view = entry_view(entry(), NAMES)
    told = details(view)
    assert (view.who, view.kind, view.claims) == ("Aduan Warga", "disclose", ("name", "email"))
    assert told["Siapa"] == "Aduan Warga (Dinas Kominfo)"
    assert told["Untuk apa"] == "Menindaklanjuti laporan"
    assert told["Dasar"] == "Izin Anda"
    assert told["Nomor catatan"] == "id0"
    assert not view.refused
    assert not view.by_officer


@pytest.mark.parametrize(
    ("channel", "said"),
    [("audit", "Ruang auditor"), ("complaint", "Aduan"), ("breach", "Surat setelah kebocoran data"), ("x", "Jalur lain")],
)
def test_the_way_of_a_look_is_told(channel: str, said: str) -> None:
    assert details(entry_view(entry(channel=channel), NAMES))["Lewat"] == said


def test_a_refused_attempt_says_why_it_was_refused() -> None:
    view = entry_view(entry(action="denied", outcome="withdrawn", legal_basis="c", legal_ref="PP 5/2021"), NAMES)
    assert view.refused
    assert details(view)["Alasan"] == "Izinnya sudah Anda cabut."
    assert details(view)["Dasar"] == "Kewajiban hukum: PP 5/2021"


def test_an_officers_look_names_the_officer_and_the_reason() -> None:
    actor = {"type": "officer", "pseudonym": "P-7", "role": "petugas", "unit": "Loket 3"}
    view = entry_view(entry(action="verify", client=None, client_name=None, actor=actor, reason="Cek KTP-el", purpose=None), NAMES)
    assert view.by_officer
    assert view.who == "Loket 3"
    assert details(view)["Petugas"] == "petugas, Loket 3, P-7"
    assert details(view)["Alasan"] == "Cek KTP-el"
    assert "Untuk apa" not in details(view)
    view = entry_view(entry(action="audit", actor={"type": "dpo", "role": "dpo", "pseudonym": "P-8"}), NAMES)
    assert details(view)["Petugas"] == "pejabat pelindungan data, P-8"


@pytest.mark.parametrize("outcome", ["requested", "given", "refused", "renewed", "withdrawn", "expired", "invalidated"])
@pytest.mark.parametrize("language", ["id", "en"])
def test_every_step_of_a_permission_has_its_sentence(outcome: str, language: str) -> None:
    view = entry_view(entry(action="consent", outcome=outcome), NAMES)
    assert catalogue(language).text(f"history.did.{view.kind}")


@pytest.mark.parametrize("action", ["disclose", "consult", "verify", "update", "erase", "export", "audit", "denied", "key", "retention"])
def test_every_action_of_the_log_has_a_sentence(action: str) -> None:
    assert catalogue("id").text(f"history.did.{entry_view(entry(action=action), NAMES).kind}")


def test_what_a_record_does_not_say_is_left_out() -> None:
    bare = HistoryEntry(0, "id", 0, NOW, {"action": "key"}, {"person": "p"})
    view = entry_view(bare, Names())
    assert set(details(view)) == {"Siapa", "Kapan", "Dasar", "Lewat", "Nomor catatan"}


def test_entries_are_grouped_by_the_day_in_the_city_and_by_who_acted() -> None:
    late = dt.datetime(2026, 11, 23, 17, tzinfo=dt.UTC)  # already the 24th in Balikpapan
    other = entry(2, client_name="Antrean")
    views = [entry_view(item, NAMES) for item in (entry(3), other, entry(1, late), entry(0, NOW - dt.timedelta(days=2)))]
    grouped = [(day.isoformat(), [(group.who, [one.n for one in group.entries]) for group in groups]) for day, groups in by_day(views)]
    assert grouped == [("2026-11-24", [("Aduan Warga", [3, 1]), ("Antrean", [2])]), ("2026-11-22", [("Aduan Warga", [0])])]


def test_what_citizens_do_themselves_is_told_as_their_own_and_an_answer_to_a_service_under_its_name() -> None:
    def own(**record: Any) -> Any:
        bare = {"action": "update", "channel": "self", "outcome": "ok", **record}
        return entry_view(HistoryEntry(0, "id", 0, NOW, bare, {"person": "p", "actor": {"type": "citizen"}}), NAMES)

    assert (own().by_self, details(own())["Siapa"]) == (True, "Anda")
    assert own(action="consent", outcome="given", client_name="Aduan Warga").by_self is False


def test_a_read_that_an_agency_reported_itself_says_so() -> None:
    assert entry_view(entry(reported_by="kominfo"), NAMES).reported


def test_only_named_purposes_are_looked_up() -> None:
    assert purposes_named([entry(), entry(purpose=None)]) == {("aduan", 2)}


@pytest.mark.parametrize(
    ("hour", "name"),
    [
        (0, "night"),
        (3, "night"),
        (4, "morning"),
        (10, "morning"),
        (11, "noon"),
        (14, "noon"),
        (15, "afternoon"),
        (18, "night"),
        (23, "night"),
    ],
)
def test_the_greeting_follows_the_citys_hour(hour: int, name: str) -> None:
    assert rules.greeting(dt.datetime(2026, 11, 24, hour, tzinfo=dt.timezone(dt.timedelta(hours=8)))) == name


def client(name: str, uri: str | None, agency: str = "Dinas Kominfo", *, begins: str | None = None) -> Any:
    return SimpleNamespace(
        self_registered=False,
        default_purpose="p",
        id=name,
        name=name,
        uri=uri,
        initiate_login_uri=begins,
        agency=SimpleNamespace(name={"id": agency}),
    )


def test_the_door_shows_connected_services_first_by_agency_and_hides_what_opens_nowhere() -> None:
    clients = [
        client("Info", "https://i"),
        client("Aduan", "https://a"),
        client("Mesin", None),
        client("Antrean", "https://q", "Dinas Kes"),
    ]
    shown = rules.door(clients, {"Info": "g1"}, "en", "https://masuk.test")
    assert [(agency.name, [(s.name, s.grant) for s in agency.services]) for agency in shown] == [
        ("Dinas Kes", [("Antrean", None)]),
        ("Dinas Kominfo", [("Info", "g1"), ("Aduan", None)]),
    ]


@pytest.mark.parametrize(
    ("begins", "href"),
    [
        (None, "https://a"),
        ("https://a/masuk", "https://a/masuk?iss=https%3A%2F%2Fmasuk.test"),
        ("https://a/masuk?via=kota", "https://a/masuk?via=kota&iss=https%3A%2F%2Fmasuk.test"),
    ],
)
def test_oidc_core_4_a_service_that_begins_sign_ins_by_itself_is_opened_there_with_our_name(begins: str | None, href: str) -> None:
    (agency,) = rules.door([client("Aduan", "https://a", begins=begins)], {}, "en", "https://masuk.test")
    assert agency.services[0].href == href


def test_months_without_reads_count_zero_and_the_current_one_is_last() -> None:
    january = dt.datetime(2027, 1, 31, 20, tzinfo=dt.UTC)  # 1 February in the city
    assert rules.last_months([("2026-12", 3), ("2020-01", 9)], january, 3) == [("2026-12", 3), ("2027-01", 0), ("2027-02", 0)]


def test_the_shown_months_begin_with_the_first_day_of_the_oldest_in_the_city() -> None:
    assert rules.first_of_months(dt.datetime(2027, 1, 31, 20, tzinfo=dt.UTC), 3).isoformat() == "2026-12-01T00:00:00+08:00"
    assert rules.first_of_months(dt.datetime(2026, 11, 24, tzinfo=dt.UTC), 6).isoformat() == "2026-06-01T00:00:00+08:00"


def test_a_filter_that_names_nothing_is_no_filter() -> None:
    allowed = {"client": ["a"], "period": rules.PERIODS}
    assert rules.chosen({"client": "b", "period": "month", "x": "y"}, allowed) == {"client": "", "period": "month"}
    assert rules.since("month", NOW) == NOW - dt.timedelta(days=30)
    assert rules.since("", NOW) is None


def grant(basis: str = "a", **values: Any) -> Any:
    said = {
        "id": "g",
        "client_name": "Aduan",
        "claims": frozenset({"email", "nik", "name", "locale"}),
        "basis": SimpleNamespace(value=basis),
    }
    return SimpleNamespace(**{**said, "state": SimpleNamespace(value="active"), "given_at": NOW, "expires_at": NOW, **values})


@pytest.mark.parametrize(
    ("basis", "law", "ground"), [("a", None, "Izin Anda"), ("c", "PP 5/2021", "Wajib menurut PP 5/2021"), ("e", None, "Tugas layanan umum")]
)
def test_a_permission_says_on_which_ground_it_stands(basis: str, law: str | None, ground: str) -> None:
    view = rules.permission_view(grant(basis), SimpleNamespace(title=TITLE, legal_ref=law), "Dinas Kominfo")  # type: ignore[arg-type]
    lines = {label: value for label, value, _ in view.lines(catalogue("id").text, lambda text: text["id"], ", ".join, str)}
    assert lines["Dasar"] == ground
    assert lines["Data yang dibaca"] == "name, nik, email, locale"
    assert lines["Untuk apa"] == "Menindaklanjuti laporan"


def test_a_permission_for_no_data_says_so() -> None:
    view = rules.permission_view(grant(claims=frozenset(), given_at=None, expires_at=None), None, "Dinas Kominfo")
    lines = [value for _, value, _ in view.lines(catalogue("id").text, str, ", ".join, str)]
    assert lines == ["Tidak ada data pribadi", "Izin Anda"]


@pytest.mark.parametrize(("text", "index"), [("12", 12), ("", None), ("-1", None), ("9" * 16, None), ("٣", None), ("0x1", None)])
def test_a_page_of_the_list_begins_at_an_index_or_at_the_newest(text: str, index: int | None) -> None:
    assert rules.position(text) == index


@pytest.mark.parametrize(("text", "good"), [("A" * 22, True), ("A" * 21 + "\0", False), ("", False), ("A" * 23, False)])
def test_only_what_looks_like_an_id_is_looked_up(text: str, *, good: bool) -> None:
    assert rules.is_id(text) is good
