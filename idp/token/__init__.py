"""The token endpoint: codes, refresh tokens and client credentials become tokens.

Owns: the three grant types and their answers. Must not know: pages, cookies, how values are sealed.
"""
