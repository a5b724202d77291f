"""Identity, sign-in, OAuth 2 / OpenID Connect, pages and the command line.

Owns: citizens' accounts and sessions, applications, the protocol endpoints and everything people see. Must not know: how values are sealed,
tokens are signed or the log is kept; it asks `keys` and `consent`.
"""

__version__ = "0.1.0"
