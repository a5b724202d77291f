"""The step of getting back in: a forgotten password, a lost second factor, or both by a slip from the counter.

Owns: these pages. Must not know: who officers are; the slip is printed by the command line (`idp accounts recover`).
"""
