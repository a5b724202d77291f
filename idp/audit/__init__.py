"""The auditor's first page: where the log stands, the key to check it with, and how.

Owns: one public page. Must not know: entries or people; a checkpoint tells a size and a hash.
"""
