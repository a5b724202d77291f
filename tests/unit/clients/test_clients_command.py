"""`idp clients`: registering from options and from a file, and what each refusal names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey

from idp.__main__ import run
from tests.support.application import declaration

if TYPE_CHECKING:
    from pathlib import Path

KEY = ECKey.generate_key("P-256", {"kid": "1"}, private=True)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated folder with the purpose "semua"."""
    folder = tmp_path_factory.mktemp("clients")
    (folder / "semua.toml").write_text(declaration("semua", required=("name",)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IDP_DATA_DIR", str(folder))
        assert run(["database", "upgrade"]) == 0
        assert run(["purposes", "add", str(folder / "semua.toml")]) == 0
    return folder


@pytest.fixture
def folder(filled: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IDP_DATA_DIR", str(filled))
    return filled


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    assert run(["clients", *arguments, "--json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    capsys.readouterr()
    code = run(["clients", *arguments])
    error = capsys.readouterr().err
    assert code != 0
    assert "Traceback" not in error
    return code, error


def options(client_id: str, **changes: str | None) -> list[str]:
    usual = {
        "name": "Aduan",
        "agency": "dinas",
        "purpose": "semua",
        "redirect-uri": "https://app.test/cb",
        "client-id": client_id,
    } | changes
    return ["add", *(word for name, value in usual.items() if value is not None for word in (f"--{name}", value))]


@pytest.mark.usefixtures("folder")
def test_an_application_is_added_shown_listed_given_a_new_secret_and_removed(capsys: pytest.CaptureFixture[str]) -> None:
    added = said(capsys, *options("from-options"))
    assert len(added["client_secret"]) >= 43
    assert (added["profile"], added["agency"], added["default_purpose"]) == ("secure", "dinas", "semua")
    shown = said(capsys, "show", "from-options")
    assert shown == {name: value for name, value in added.items() if name != "client_secret"}
    assert "from-options" in {client["client_id"] for client in said(capsys, "list")}
    assert said(capsys, "rotate-secret", "from-options")["client_secret"] != added["client_secret"]
    assert said(capsys, "remove", "from-options") == {"client_id": "from-options", "removed": True}
    assert refused(capsys, "show", "from-options")[0] == 1
    for command in ("remove", "rotate-secret"):
        assert "from-options" in refused(capsys, command, "from-options")[1]


def test_a_json_file_registers_a_client_with_keys_and_options_win(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "client.json"
    file.write_text(
        json.dumps({
            "client_id": "from-file", "client_name": "Antrean", "agency": {"code": "dinas", "name": {"id": "Dinas", "en": "Office"}},
            "redirect_uris": ["https://app.test/cb"], "purposes": ["semua"], "token_endpoint_auth_method": "private_key_jwt",
            "jwks": {"keys": [KEY.as_dict(private=False)]},
        })
    )  # fmt: skip
    added = said(capsys, "add", str(file), "--name", "Antrean Baru")
    assert "client_secret" not in added
    assert added["client_name"] == "Antrean Baru"
    assert added["jwks"]["keys"][0]["kid"] == "1"
    assert "no secret" in refused(capsys, "rotate-secret", "from-file")[1]
    code, error = refused(capsys, "add", str(file))
    assert (code, "from-file is taken" in error) == (1, True)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"name": None}, "client_name"),
        ({"agency": None}, "--agency"),
        ({"redirect-uri": None}, "redirect_uris"),
        ({"redirect-uri": "http://app.test/cb"}, "redirect_uris"),
        ({"redirect-uri": "https://app.test/cb#x"}, "fragment"),
        ({"purpose": None}, "purposes"),
        ({"purpose": "tidak-ada"}, "idp purposes add"),
        ({"agency": "lain"}, "declaration of dinas"),
        ({"agency": "lain", "purpose": None, "grant-type": "client_credentials"}, "--agency-name"),
        ({"field": "dpop_bound_access_tokens=yes"}, "dpop_bound_access_tokens"),
        ({"field": "nonsense"}, "NAME=VALUE"),
        ({"jwks-uri": "http://app.test/jwks"}, "jwks_uri"),
        ({"auth-method": "magic"}, "token_endpoint_auth_method"),
        ({"auth-method": "private_key_jwt"}, "jwks"),
        ({"profile": "fast"}, "profile"),
        ({"client-id": "a b"}, "client_id"),
    ],
)
def test_a_refusal_names_what_is_wrong(capsys: pytest.CaptureFixture[str], change: dict[str, str | None], named: str) -> None:
    assert named in refused(capsys, *options("refused", **change))[1]
    assert "refused" not in {client["client_id"] for client in said(capsys, "list")}


def test_a_new_agency_without_a_name_is_named_as_its_purpose_declares(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "baru.toml").write_text(declaration("baru", required=("name",)).replace('"dinas"', '"baru"'))
    assert run(["purposes", "add", str(folder / "baru.toml")]) == 0
    capsys.readouterr()
    assert run(["clients", *options("named", agency="baru", purpose="baru")]) == 0
    assert "Kalimat agency_name. (baru)" in capsys.readouterr().out
    said(capsys, "remove", "named")


@pytest.mark.usefixtures("folder")
def test_a_registration_is_changed_in_place(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = said(capsys, *options("changed"), "--field", "require_auth_time=true")
    after = said(
        capsys, "set", "changed", "--redirect-uri", "https://app.test/b", "--name", "Lain", "--field", "default_max_age=0",
        "--unset", "require_auth_time",
    )  # fmt: skip
    assert (after["client_name"], after["redirect_uris"], after["default_max_age"]) == ("Lain", ["https://app.test/b"], 0)
    assert before["require_auth_time"] is True
    assert after["require_auth_time"] is False
    assert "client_secret" not in after
    assert after == said(capsys, "show", "changed")
    (folder / "keys.json").write_text(
        json.dumps({"jwks": {"keys": [KEY.as_dict(private=False)]}, "token_endpoint_auth_method": "private_key_jwt"})
    )
    assert "client_secret" not in said(capsys, "set", "changed", str(folder / "keys.json"))
    assert "no secret" in refused(capsys, "rotate-secret", "changed")[1]
    assert said(capsys, "set", "changed", "--jwks-uri", "https://app.test/jwks")["jwks"] is None
    assert len(said(capsys, "set", "changed", "--auth-method", "client_secret_post", "--unset", "jwks_uri")["client_secret"]) >= 43
    said(capsys, "remove", "changed")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("change", "named"),
    [
        ((), "--field"),
        (("--redirect-uri", "http://app.test"), "redirect_uris"),
        (("--purpose", "tidak-ada"), "idp purposes add"),
        (("--unset", "purposes"), "purposes"),
        (("--field", "client_id=other"), "client_id"),
        (("--field", "agency=lain"), "agency"),
        (("--field", "self_registered=true"), "self_registered"),
        (("--profile", "fapi2"), "token_endpoint_auth_method"),
    ],
)
def test_a_change_that_is_refused_changes_nothing(capsys: pytest.CaptureFixture[str], change: tuple[str, ...], named: str) -> None:
    before = said(capsys, *options("kept"))
    assert named in refused(capsys, "set", "kept", *change)[1]
    assert said(capsys, "show", "kept") == {name: value for name, value in before.items() if name != "client_secret"}
    said(capsys, "remove", "kept")
    assert "kept" in refused(capsys, "set", "kept", "--name", "x")[1]


@pytest.mark.usefixtures("folder")
def test_an_initial_access_token_is_made_listed_and_taken_back(capsys: pytest.CaptureFixture[str]) -> None:
    made = said(capsys, "token", "add", "--note", "Diskominfo", "--count", "2")
    assert len(made["initial_access_token"]) >= 43
    (listed,) = said(capsys, "token", "list")
    assert (listed["id"], listed["note"], listed["remaining"]) == (made["id"], "Diskominfo", 2)
    assert made["initial_access_token"] not in str(listed)
    assert said(capsys, "token", "revoke", made["id"])["revoked"] is True
    assert made["id"] in refused(capsys, "token", "revoke", made["id"])[1]
    for options_ in (("--count", "0"), ("--days", "9999"), ("--note", " ")):
        assert refused(capsys, "token", "add", "--note", "x", *options_)[0] == 2


@pytest.mark.usefixtures("folder")
def test_an_approval_names_a_declared_purpose_of_the_agency(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "kedua.toml").write_text(declaration("kedua", required=("email",)))
    (folder / "asing.toml").write_text(declaration("asing", required=("email",)).replace('"dinas"', '"lain-lagi"'))
    for name in ("kedua", "asing"):
        assert run(["purposes", "add", str(folder / f"{name}.toml")]) == 0
    said(capsys, *options("approved"))
    approved = said(capsys, "approve", "approved", "--purpose", "kedua", "--by", "Rina")
    assert (approved["purposes"], approved["default_purpose"]) == (["semua", "kedua"], "semua")
    assert "lain-lagi" in refused(capsys, "approve", "approved", "--purpose", "asing", "--by", "Rina")[1]
    assert "idp purposes add" in refused(capsys, "approve", "approved", "--purpose", "tidak-ada", "--by", "Rina")[1]
    assert "tidak-ada" in refused(capsys, "approve", "tidak-ada", "--purpose", "kedua", "--by", "Rina")[1]
    said(capsys, "remove", "approved")


@pytest.mark.usefixtures("folder")
def test_a_registration_is_tested_and_the_exit_code_tells(capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, *options("tested"))
    found = said(capsys, "test", "tested", "--offline")
    assert {"subject", "grade", "what", "mend"} == set(found[0])
    assert run(["clients", "test", "tested", "--offline", "--scope", "openid nik"]) == 1
    assert "WRONG    scope: nik asks for data that no purpose" in capsys.readouterr().out
    assert "tidak-ada" in refused(capsys, "test", "tidak-ada")[1]
    said(capsys, "remove", "tested")


def test_files_that_cannot_be_read_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.json").write_text("{")
    (folder / "list.json").write_text("[]")
    (folder / "agency.json").write_text('{"agency": 5}')
    for name in ("missing.json", "bad.json", "list.json"):
        code, error = refused(capsys, "add", str(folder / name))
        assert (code, name in error) == (2, True)
    assert "agency" in refused(capsys, "add", str(folder / "agency.json"))[1]


def test_an_unmigrated_folder_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("IDP_DATA_DIR", str(tmp_path))
    assert refused(capsys, "list")[0] in {3, 4}
