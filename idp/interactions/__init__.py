"""Running authorization requests: what was asked, in which browser, and which steps are behind.

Owns: interaction rows; the request in them is sealed, for a `login_hint` is personal. Must not know: applications, people, pages, tokens.
"""
