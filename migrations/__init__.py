"""Alembic migrations, one lineage per store: keys, consent, idp. No foreign keys across stores.

Owns: how a database gets its tables, triggers and functions. Must not know: any package's Python code; a migration says in SQL terms
what it makes, so that it means the same thing years later.
"""
