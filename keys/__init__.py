"""Cryptography and the database handle.

Owns: the root key and everything it wraps (a data key and a log key per person, blind-index keys, signing keys, other secrets),
sealed cells, token digests, password hashing, and the one way to open, read and change a database.

Must not know: identities, clients, consent, HTTP. It imports neither `consent` nor `idp`, and it is the only package that imports
`cryptography`, `joserfc` and `argon2`.
"""
