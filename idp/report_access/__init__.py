"""POST /report-access: an agency's own system reports a read of a copy that it holds.

Owns: the report's form, its receipt. Must not know: how entries are written.
"""
