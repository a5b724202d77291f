"""The citizen's own page of safety: password, second factors, the places where they are signed in.

Owns: these pages. Must not know: how a factor is checked or a session ends; it asks the records and `protocol`.
"""
