"""Settings are checked whole before anything starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.setting_sources import SettingsRefused
from idp.settings import Settings, load

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IDP_DATA_DIR", str(tmp_path))
    return tmp_path


def problems_of(**overrides: object) -> str:
    with pytest.raises(SettingsRefused) as refused:
        load(**overrides)
    return "\n".join(refused.value.problems)


def test_an_unknown_variable_is_an_error_that_names_the_nearest_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDP_ISUER", "https://masuk.example")
    assert problems_of() == "IDP_ISUER is no setting; did you mean IDP_ISSUER?"


def test_an_unknown_key_of_the_file_is_an_error_that_names_the_nearest_known_one(own_folder: Path) -> None:
    (own_folder / "idp.toml").write_text('databse_url = "sqlite:///x"\n')
    assert "databse_url is no setting; did you mean database_url?" in problems_of()


def test_every_problem_is_named_not_only_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDP_POOL_SIZE", "none")
    monkeypatch.setenv("IDP_ISSUER", "https://masuk.example/")
    monkeypatch.setenv("IDP_NONSENSE", "1")
    found = problems_of()
    assert "IDP_POOL_SIZE" in found
    assert "IDP_ISSUER" in found
    assert "IDP_NONSENSE" in found


def test_a_problem_does_not_repeat_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDP_DATABASE_URL", "mysql://user:very-secret@host/db")
    assert "very-secret" not in problems_of()


@pytest.mark.parametrize(
    "issuer",
    [
        "masuk.example",
        "https://masuk.example/",
        "https://masuk.example?x=1",
        "https://masuk.example#x",
        "ftp://masuk.example",
        "http://masuk.example",
    ],
)
def test_an_issuer_that_clients_would_not_accept_is_refused(issuer: str) -> None:
    assert "IDP_ISSUER" in problems_of(issuer=issuer)


@pytest.mark.parametrize(
    "issuer", ["https://masuk.example", "https://masuk.example/gerbang", "http://localhost:8000", "http://127.0.0.1:1"]
)
def test_an_issuer_over_https_or_on_this_machine_is_accepted(issuer: str) -> None:
    assert load(issuer=issuer).issuer == issuer


def test_a_variable_wins_over_the_file_and_an_option_over_both(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (own_folder / "idp.toml").write_text("port = 1111\nworkers = 1\npool_size = 7\n")
    assert load().port == 1111
    monkeypatch.setenv("IDP_PORT", "2222")
    assert load().port == 2222
    assert load(port=3333).port == 3333
    assert load().pool_size == 7


def test_relative_paths_in_the_file_count_from_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "gerbang.toml").write_text('root_key_file = "keys/root.key"\n')
    monkeypatch.setenv("IDP_CONFIG", str(folder / "gerbang.toml"))
    assert load().root_key_file == folder / "keys" / "root.key"


def test_a_secret_may_stand_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("smtps://user:password@mail.example\n")
    monkeypatch.setenv("IDP_MAIL_URL_FILE", str(tmp_path / "secret"))
    assert load().mail_url == "smtps://user:password@mail.example"


def test_a_named_file_that_is_absent_or_no_toml_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDP_CONFIG", str(tmp_path / "none.toml"))
    assert "none.toml" in problems_of()
    (tmp_path / "none.toml").write_text("port = \n")
    assert "not valid TOML" in problems_of()
    monkeypatch.setenv("IDP_MAIL_URL_FILE", str(tmp_path / "nowhere"))
    assert "IDP_MAIL_URL_FILE" in problems_of()


def test_several_workers_need_postgresql() -> None:
    assert "PostgreSQL" in problems_of(workers=2)
    assert load(workers=2, database_url="postgresql://localhost/gerbang").workers == 2


def test_tls_files_go_together(tmp_path: Path) -> None:
    assert "IDP_TLS_KEY_FILE" in problems_of(tls_certificate_file=tmp_path / "cert.pem")


def test_networks_of_proxies_are_read_from_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDP_TRUSTED_PROXIES", "10.0.0.0/8, ::1")
    assert [str(network) for network in load().trusted_proxies] == ["10.0.0.0/8", "::1/128"]
    monkeypatch.setenv("IDP_TRUSTED_PROXIES", "10.0.0.1/8")
    assert "IDP_TRUSTED_PROXIES" in problems_of()


def test_settings_cannot_be_changed(own_folder: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings(data_dir=own_folder).port = 1


def test_secrets_are_not_shown(own_folder: Path) -> None:
    shown = repr(Settings(data_dir=own_folder, database_url="postgresql://u:hidden@h/d", mail_url="smtp://u:hidden@h", root_key="hidden"))
    assert "hidden" not in shown


@pytest.mark.parametrize("wrong", ["", "10", "10/0", "0/60", "x/60", "10/60/3", "10/60, 5/60"])
def test_a_limit_that_is_no_rate_is_refused_with_an_example(wrong: str) -> None:
    assert "IDP_LIMIT_DEVICE: " in problems_of(limit_device=wrong)


def test_limits_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDP_LIMIT_SLIP", "3/600,5/86400")
    assert load().limit_slip == ((3, 600), (5, 86400))
    assert load().limit_factor == ((10, 900),)


@pytest.mark.parametrize(
    "issuer", ["http://localhost:8000", "http://[::1]:8000", "https://op.localhost", "https://op.test", "https://op.internal"]
)
def test_certification_is_for_issuers_that_no_citizen_reaches(issuer: str) -> None:
    assert load(issuer=issuer, certification=True).certification


@pytest.mark.parametrize("issuer", ["https://masuk.balikpapan.go.id", "https://test", "https://localhost.go.id", "https://10.1.2.3"])
def test_certification_is_refused_in_production(issuer: str) -> None:
    assert "IDP_CERTIFICATION" in problems_of(issuer=issuer, certification=True)


def test_certification_is_off_unless_it_is_asked_for() -> None:
    assert not load().certification
