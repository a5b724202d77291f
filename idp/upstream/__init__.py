"""Signing in by an OpenID provider before ours, such as a national identity.

Owns: the way there and back, and the page for who is not linked. Must not know: applications, or how passwords are checked. An account is
linked only by a verified NIK, or by the citizen while signed in; an e-mail address links nothing.
"""
