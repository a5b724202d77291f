"""Token introspection: a resource server asks whether a token still holds.

Owns: the answer's members. Must not know: personal values; none is ever in an answer.
"""
