"""Token revocation: an application gives a token up.

Owns: which token ends what. Must not know: people, pages. It ends authorizations, never a consent grant.
"""
