"""Citizens' accounts: who exists, under which identifiers, with which sealed values and factors.

Owns: accounts, the blind indexes they are found by, their sealed cells, second factors, one-time codes and half-finished enrolments.
Must not know: sessions, applications, pages, or how a sealed value is opened; it only seals.
"""
