"""Which database each of the three stores lives in."""

from __future__ import annotations

from typing import Literal

from sqlalchemy.engine import make_url

StoreName = Literal["keys", "consent", "idp"]


def store_urls(idp_url: str, consent_url: str | None, keys_url: str | None) -> dict[StoreName, str]:
    """Give each of the three stores its URL.

    Unset ones follow the idp URL: sibling files on SQLite (`idp.sqlite3` → `consent.sqlite3`), schemas of one database on PostgreSQL.
    """
    return {
        "idp": _with_schema(idp_url, "idp"),
        "consent": _with_schema(consent_url or _sibling(idp_url, "consent"), "consent"),
        "keys": _with_schema(keys_url or _sibling(idp_url, "keys"), "keys"),
    }


def _sibling(url: str, store: StoreName) -> str:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return parsed.update_query_dict({"schema": store}).render_as_string(hide_password=False)
    folder, _, name = (parsed.database or "").rpartition("/")
    sibling = name.replace("idp", store, 1) if "idp" in name else f"{store}-{name}"
    return parsed.set(database=f"{folder}/{sibling}" if folder else sibling).render_as_string(hide_password=False)


def _with_schema(url: str, store: StoreName) -> str:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" or "schema" in parsed.query:
        return url
    return parsed.update_query_dict({"schema": store}).render_as_string(hide_password=False)
