"""The pushed authorization request endpoint (RFC 9126): takes a request from the application itself, before anybody's browser carries it.

Owns: that a request is checked and kept. Must not know: what becomes of it; /authorize opens it again.
"""
