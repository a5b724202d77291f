"""The renderer: what a template may rely on, and what an answer carries."""

from __future__ import annotations

import datetime as dt
import gzip
import html
import re
from typing import TYPE_CHECKING, Any

import pytest
from jinja2 import UndefinedError
from starlette.requests import Request

from idp.pages.assets import Assets
from idp.pages.charts import Value, bars, lines
from idp.pages.formats import Formats, local_date
from idp.pages.render import Plumbing, Renderer, Site
from idp.pages.texts import Catalogue, TextMissing, catalogue

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.responses import Response

MORNING = dt.datetime(2026, 11, 24, 2, 15, tzinfo=dt.UTC)


def request(path: str = "/", query: str = "", **headers: str) -> Request:
    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request(
        {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": query.encode(),
            "headers": sent,
            "scheme": "http",
            "server": ("localhost", 8000),
            "state": {},
        }
    )


def asked_for(path: str, **headers: str) -> Request:
    asked = request(path, **headers)
    asked.scope["path_params"] = dict(zip(("digest", "name"), path.split("/")[2:], strict=True))
    return asked


class Web:
    """Plumbing that remembers what it was asked for."""

    def __init__(self) -> None:
        self.targets: list[str] = []
        self.attached = 0

    def form_targets(self, asked: Request, uris: Any) -> None:
        del asked
        self.targets.extend(uris)

    def attach(self, asked: Request, response: Response) -> None:
        del asked, response
        self.attached += 1


def renderer(folder: Path, web: Web | None = None, **files: str) -> Renderer:
    for name, source in files.items():
        (folder / f"{name}.html").write_text(source, "utf-8")
    web = web or Web()
    plumbing = Plumbing(
        language=lambda asked: asked.query_params.get("lang", "id"),
        form_token=lambda _, purpose: f"<{purpose}>",
        form_targets=web.form_targets,
        attach=web.attach,
    )
    return Renderer(Site("https://masuk.contoh.go.id", "Kota Contoh", "dpo@contoh.go.id"), plumbing, folder)


def test_values_are_escaped(tmp_path: Path) -> None:
    pages = renderer(tmp_path, page="{{ name }}{{ t('home.landing.address_html', host=name) }}{{ form_token('x') }}")
    shown = pages.text(request(), "page.html", name="<script>")
    assert "<script>" not in shown
    assert "<b>&lt;script&gt;</b>" in shown
    assert 'value="&lt;x&gt;"' in shown


def test_a_forgotten_value_is_an_error_and_not_a_hole(tmp_path: Path) -> None:
    with pytest.raises(UndefinedError):
        renderer(tmp_path, page="{{ nobody }}").text(request(), "page.html")


def test_a_text_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TextMissing):
        renderer(tmp_path, page="{{ t('common.nothing') }}").text(request(), "page.html")


def test_a_page_is_packed_for_browsers_that_can_unpack(tmp_path: Path) -> None:
    pages = renderer(tmp_path, page="x" * 5000)
    packed = pages.page(request(accept_encoding="gzip, br"), "page.html")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == b"x" * 5000
    plain = pages.page(request(), "page.html")
    assert "content-encoding" not in plain.headers
    assert plain.body == b"x" * 5000
    assert "accept-encoding" in plain.headers["vary"]


def test_a_page_names_where_its_forms_may_lead_and_sets_its_cookies(tmp_path: Path) -> None:
    web = Web()
    answer = renderer(tmp_path, web, page="hm").page(request(), "page.html", status=403, form_action=["https://aduan.contoh.go.id/kembali"])
    assert (answer.status_code, web.targets, web.attached) == (403, ["https://aduan.contoh.go.id/kembali"], 1)


def test_the_language_switch_keeps_the_rest_of_the_address(tmp_path: Path) -> None:
    pages = renderer(tmp_path, page="{{ here(lang='en') }} {{ here(lang=none) }}")
    assert pages.text(request("/login", "interaction=i%26&lang=id"), "page.html") == (
        "/login?interaction=i%26&amp;lang=en /login?interaction=i%26"
    )


def test_texts_choose_the_language_and_the_plural() -> None:
    assert catalogue("en").text("common.errors", count=1) == "One thing needs fixing"
    assert catalogue("en").text("common.errors", count=1200) == "1,200 things need fixing"
    assert catalogue("id").text("common.errors", count=1) == "Ada 1 hal yang perlu diperbaiki"


def test_moments_read_in_the_citys_clock() -> None:
    assert Formats("id").when(MORNING) == "24 Nov 2026, 10.15 WITA"
    assert Formats("en").when(MORNING) == "24 Nov 2026, 10:15 WITA"
    assert Formats("id").day(MORNING) == "Selasa, 24 November 2026"
    assert local_date(dt.datetime(2026, 11, 24, 17, tzinfo=dt.UTC)) == dt.date(2026, 11, 25)
    assert (Formats("id").month("2026-10"), Formats("id").month("2026-10", short=True)) == ("Oktober 2026", "Okt")
    assert (Formats("id").number(12345), Formats("en").number(12345)) == ("12.345", "12,345")
    assert (Formats("id").clock(MORNING), Formats("id").date(MORNING)) == ("10.15", "24 Nov 2026")


def test_bars_grow_with_their_counts_and_say_so_in_words() -> None:
    drawn = bars([Value("Okt", 0, "0"), Value("Nov", 4000, "4.000"), Value("Des", 2000, "2.000")], 'alt "text"')
    assert 'aria-label="alt &#34;text&#34;"' in drawn
    assert 'class="none"' in drawn
    assert 'height="120"' in drawn
    assert 'height="60"' in drawn
    assert ">4.000<" in drawn
    assert bars([], "none").startswith("<svg")


def test_lying_bars_name_their_services_and_a_single_read_is_no_full_bar() -> None:
    drawn = lines([Value("Aduan <Warga>", 1, "1")], "alt")
    assert "Aduan &lt;Warga&gt;" in drawn
    assert 'width="131"' in drawn
    assert lines([], "none").startswith("<svg")


async def test_a_static_file_is_kept_for_a_year_under_the_hash_of_its_content() -> None:
    assets = Assets()
    route, icon = assets.routes()
    path = assets.path("gerbang.css")
    answer = await route.endpoint(asked_for(path))
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/css")
    assert gzip.decompress((await route.endpoint(asked_for(path, accept_encoding="gzip"))).body) == answer.body
    assert (await icon.endpoint(request("/favicon.ico"))).headers["content-type"] == "image/svg+xml"


async def test_a_static_file_under_another_hash_is_not_found() -> None:
    route = Assets().routes()[0]
    assert (await route.endpoint(asked_for("/static/000000000000/gerbang.css"))).status_code == 404


def test_the_glyph_weighs_less_than_500_bytes() -> None:
    from idp.pages import assets, render

    assert (assets.FOLDER / "gerbang.svg").stat().st_size < 500
    assert (render.TEMPLATES / "glyph.svg").stat().st_size < 500


@pytest.mark.parametrize("path", ["//evil.example/", "/\\evil.example/x", "///evil.example", "/\\/evil.example"])
def test_a_page_s_own_address_never_reads_as_another_site(tmp_path: Path, path: str) -> None:
    """RFC 3986 §4.2: a reference that begins with two slashes names a host; browsers read a backslash as a slash."""
    pages = renderer(tmp_path, page="{{ here(lang='en') }} {{ here(lang=none) }}")
    for address in pages.text(request(path), "page.html").split():
        assert not re.match(r"[/\\]{2}", html.unescape(address)), address


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(1, ("1 menit", "1 minute")), (80, ("80 menit", "80 minutes")), (120, ("2 jam", "2 hours")), (1439, ("24 jam", "24 hours"))],
)
def test_a_span_of_time_is_told_in_the_unit_that_people_count_it_in(minutes: int, said: tuple[str, str]) -> None:
    span = dt.timedelta(minutes=minutes)
    assert tuple(Catalogue(language, {"a.wait": "{wait}"}).text("a.wait", wait=span) for language in ("id", "en")) == said
