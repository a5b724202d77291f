"""The step of signing in: identifier and password on one page, a second factor on the next where there is one.

Owns: the pages and their rules. Must not know: which service asked or what follows; it leads back by `protocol.signing_in`.
"""
