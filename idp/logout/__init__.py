"""Signing out, asked for by an application or by the person.

Owns: whether to ask first, and where to lead afterwards. Must not know: what a session's end entails; `protocol.ending` does.
"""
