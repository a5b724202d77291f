"""The keys store: the only code of the key hierarchy that speaks SQL. Everything it keeps is wrapped; it never sees a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keys.store.roots import NamedSecretStore, RootVersionStore
from keys.store.signing import CheckpointKeyStore, SigningKeyStore
from keys.store.subjects import SubjectKeyStore
from keys.store.wrapped import WrappedStore

if TYPE_CHECKING:
    from keys.database import Database


class KeyStore:
    """The whole store, by what is kept."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.roots = RootVersionStore(database)
        self.named_secrets = NamedSecretStore(database)
        self.signing_keys = SigningKeyStore(database)
        self.checkpoint_keys = CheckpointKeyStore(database)
        self.subjects = SubjectKeyStore(database)
        self.wrapped = WrappedStore(database)
