"""Pages of staff in a browser: an auditor asks, finds and proposes, another decides; at a desk and on a telephone."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from idp.pages.formats import ZONE
from keys.recipients import new_pair

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Demo
    from tests.browser.walk import Walk

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

REASON = "Pemeriksaan rutin triwulan keempat"


def _a_quarter_of_reads(demo: Demo) -> None:
    """Count reads of the past weeks, with one day and one night out of the ordinary."""
    today = dt.datetime.now(ZONE).date()
    rows = []
    for back in range(1, 80):
        day = today - dt.timedelta(days=back)
        for place, (client, agency, purpose) in enumerate((("aduan", "diskominfo", "aduan"), ("antrean", "dinkes", "antrean"))):
            usual = (6 if day.weekday() >= 5 else 30) * (place + 1) + back % 5
            hours = [0] * 24
            hours[9:16] = [usual] * 7
            hours[2] = 900 if back == 9 and place else 0
            rows.append(
                (day.isoformat(), "disclose", client, agency, purpose, "a" if place else "e", "", back % 2, " ".join(map(str, hours)))
            )
    with sqlite3.connect(Path(demo.said["data_dir"]) / "consent.sqlite3", timeout=20) as database:
        database.executemany("INSERT OR REPLACE INTO log_activity VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


def _look_everywhere(visitor: Walk, name: str) -> None:
    """Look at this page at a desk in Indonesian and on a telephone in English; it is loaded anew for the language."""
    address = visitor.page.url
    for width, language in ((360, "en"), (1280, "id")):
        visitor.page.set_viewport_size({"width": width, "height": 740})
        visitor.width, visitor.language = width, language
        visitor.go(f"{address}{'&' if '?' in address else '?'}lang={language}").look(name)


def _open_who_records_are_about(auditor: Walk, officer: Walk) -> None:
    _look_everywhere(auditor.go("/console/proposals/new/openings"), "console-proposals-new-openings")
    public = json.dumps(dict(new_pair("kuda baterai pas peniti")[1].jwk))
    for field, value in (("case", "ITKO 700/2026"), ("law", "UU 27/2022 Pasal 31"), ("key", public), ("reason", REASON)):
        auditor.page.fill(f"#{field}", value)
    auditor.submit()
    proposal = auditor.page.url.partition("?")[0].removeprefix(auditor.issuer)
    _look_everywhere(officer.go(proposal), "openings-to-decide")
    officer.page.click("button[value=confirm]")
    auditor.go(proposal).page.click("button[value=open]")
    _look_everywhere(auditor, "openings-package")
    with auditor.page.expect_download() as package:
        auditor.page.click("form[action$=package] button")
    assert package.value.suggested_filename.startswith("gerbang-openings-")


def _delay_what_a_citizen_sees(officer: Walk, auditor: Walk, demo: Demo) -> None:
    _look_everywhere(officer.go("/console/proposals/new/delay"), "console-proposals-new-delay")
    until = (dt.datetime.now(ZONE).date() + dt.timedelta(days=90)).isoformat()
    told = {"identifier": demo.citizen("Siti")["email"], "case": "B/12/XI/2026", "law": "KUHAP Pasal 38", "until": until, "reason": REASON}
    for field, value in told.items():
        officer.page.fill(f"#{field}", value)
    officer.submit()
    proposal = officer.page.url.partition("?")[0].removeprefix(officer.issuer)
    _look_everywhere(auditor.go(proposal), "delay-to-decide")
    auditor.page.fill("#identifier", demo.citizen("Budi")["email"])
    auditor.page.click("button[value=confirm]")
    assert 'role="alert"' in auditor.page.content()
    auditor.look("delay-of-somebody-else")
    auditor.page.fill("#identifier", demo.citizen("Siti")["email"])
    auditor.page.click("button[value=confirm]")
    _look_everywhere(auditor, "delay-in-force")
    _look_everywhere(auditor.go("/audit/checks"), "audit-checks-delayed")


def test_an_auditor_asks_and_two_people_tell_a_name(walk: Callable[..., Walk], demo: Demo) -> None:
    _a_quarter_of_reads(demo)
    citizen: Walk = walk(360)
    citizen.go("/transparansi")
    _look_everywhere(citizen, "transparency")
    auditor: Walk = walk(1280)
    auditor.go("/login?next=/audit/search").sign_in(demo.said["auditor"])
    _look_everywhere(auditor, "audit-search")
    auditor.page.fill("#reason", REASON)
    auditor.submit()
    assert "/audit/results" in auditor.page.url
    _look_everywhere(auditor, "audit-results")
    auditor.go("/audit/person")
    _look_everywhere(auditor, "audit-person")
    for field, value in (("identifier", demo.citizen("Siti")["email"]), ("case", "ITKO 700/2026"), ("reason", REASON)):
        auditor.page.fill(f"#{field}", value)
    auditor.submit()
    auditor.look("audit-person-found")
    assert "Pemeriksaan" in auditor.page.inner_text("table")
    auditor.go("/audit/activity")
    _look_everywhere(auditor, "audit-activity")
    assert "1 hari di luar kebiasaan" in auditor.text
    auditor.page.click("a[href*='service=antrean']")
    _look_everywhere(auditor, "audit-activity-service")
    for path in ("/audit/export", "/console/proposals/new/unseal"):
        _look_everywhere(auditor.go(path), path.strip("/").replace("/", "-"))
    pseudonym = (
        sqlite3.connect(Path(demo.said["data_dir"]) / "idp.sqlite3")
        .execute("SELECT pseudonym FROM staff_roles WHERE role = 'administrator'")
        .fetchone()[0]
    )
    for field, value in (("pseudonym", pseudonym), ("law", "UU 27/2022 Pasal 31, ITKO 700/2026"), ("reason", REASON)):
        auditor.page.fill(f"#{field}", value)
    auditor.submit()
    proposal = auditor.page.url.partition("?")[0].removeprefix(demo.issuer)
    auditor.look("proposal-own")
    officer: Walk = walk(1280)
    officer.go(f"/login?next={proposal}").sign_in(demo.said["dpo"])
    _look_everywhere(officer, "proposal-to-decide")
    officer.page.click("button[value=confirm]")
    officer.look("proposal-confirmed")
    auditor.go(proposal)
    auditor.page.click("button[value=open]")
    auditor.look("proposal-name-told")
    assert demo.said["administrator"]["name"] in auditor.text
    _open_who_records_are_about(auditor, officer)
    _delay_what_a_citizen_sees(officer, auditor, demo)
    _look_everywhere(auditor.go("/console/proposals"), "proposals")
    _look_everywhere(auditor.go("/"), "home-of-staff")
