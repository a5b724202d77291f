"""Tokens of registration (RFC 7591 §3, RFC 7592 §3): who may register an application, and who may change one. Digests only."""
