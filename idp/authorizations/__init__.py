"""Approvals and what stands on them: authorization rows, codes, refresh tokens, revoked access tokens.

Owns: that each code and refresh token is used once, and whether an authorization still lives. Must not know: HTTP, registrations,
how tokens are signed. A "grant" is the consent grant in consent/; here it is an id only.
"""
