"""Work that must be done after a commit, kept in a row until it is: messages to people, notices to services.

Owns: rows, leases and retries. Must not know what a topic means: `idp.protocol.outbox` does.
"""
