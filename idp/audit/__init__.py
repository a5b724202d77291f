"""The auditors' pages: where the log stands, searching its records, one citizen's records for a case, unusual days, checks, the export.

Owns: these pages. Every question is an entry of the log before its answer is shown. Must not know: values, or how entries are stored.
"""
