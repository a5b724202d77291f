"""What can go wrong in keys/, as exceptions without personal data, secrets or detail that helps an attacker."""

from __future__ import annotations


class KeysError(Exception):
    """The root of all errors of this package."""


class StoreUnavailable(KeysError):
    """A database cannot be reached, is full, or did not answer in time: answer 503 and disclose nothing."""


class ConnectionHeld(KeysError):
    """A task tried to wait for the log, a hash or the network while it held a database connection (a programming error)."""


class RootKeyMissing(KeysError):
    """No root key was given: name a file with IDP_ROOT_KEY_FILE, or for development set IDP_ROOT_KEY."""


class RootKeyLoose(KeysError):
    """The root key file can be read or changed by more than its owner. `mode` is what was found, for example "0644"."""

    def __init__(self, path: str, mode: str) -> None:
        super().__init__(f"{path} has mode {mode}: run `chmod 0400 {path}`")
        self.path = path
        self.mode = mode


class RootKeyWrong(KeysError):
    """The root key of `version` is not the one that this keys store was written with, or is not there at all."""

    def __init__(self, version: int, reason: str = "is not the one this keys store was written with") -> None:
        super().__init__(f"root key version {version} {reason}")
        self.version = version
        self.reason = reason


class RootKeyMalformed(KeysError):
    """The root key's text is not lines of "<version> <base64url of 32 bytes>"."""


class SealBroken(KeysError):
    """A sealed value does not open: changed, cut, moved to another place, or sealed under another key."""


class KeyDestroyed(KeysError):
    """The person's keys are gone, or never were: nothing sealed under them can be opened."""


class TokenInvalid(KeysError):
    """A token is refused. `reason` is for the private log; it holds nothing of the token."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SigningKeyMissing(KeysError):
    """No key of the algorithm can sign (it is none of the installation's, or its last key was removed)."""

    def __init__(self, algorithm: str) -> None:
        super().__init__(f"no active {algorithm} key")
        self.algorithm = algorithm


class EncryptionKeyMissing(KeysError):
    """No key of a published set takes the algorithm that a token was to be encrypted with."""


class PoolFull(KeysError):
    """Too many password hashes are waiting: answer 503 with `Retry-After: retry_after` (whole seconds)."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"the password pool is full; try again in {retry_after} s")
        self.retry_after = retry_after


class RootVersionGone(KeysError):
    """A value was wrapped under a root version that has been destroyed meanwhile: read the root keys again and wrap anew."""


class CheckpointKeyWrong(KeysError):
    """The log signer's key is missing or belongs to another log: restore its file, or begin a new origin."""
