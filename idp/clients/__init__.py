"""Agencies and their applications: who may ask, where answers go, how each proves who it is.

Owns: registrations, client secrets (keyed digests), and which client assertions were used. Must not know: people, sessions, tokens.
"""
