"""Who is meant by the name under which a sector knows a person.

Owns: keyed digests of pairwise subjects, each with its person. Must not know: how such names are made, or who may ask.
"""
