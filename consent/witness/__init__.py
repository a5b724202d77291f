"""A witness of transparency logs (C2SP tlog-witness): it cosigns a checkpoint only if that continues every one it cosigned before.

Owns: the rules, the small memory (a file), and the two addresses over HTTP. Made to be run by a body outside the reach of whoever runs the
log: it knows no store of the provider, no root key, and no person. Must not know: entries, consent, identities.
"""
