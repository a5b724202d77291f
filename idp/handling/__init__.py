"""Staff answer complaints: the data protection officer all of them, an officer those of the own agency.

Owns: what these pages show and ask. Must not know: how texts rest, how a look is recorded; it asks `idp.protocol.complaints`.
"""
