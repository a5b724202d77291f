"""Purposes, the consent ledger, the doors of disclosure, and the access log.

Owns: what a service may be told and why, the record of every permission, and the only ways by which a personal value leaves sealed storage:
each of them writes the access log first. Must not know: OAuth, OpenID Connect, HTTP, pages. It imports `keys`, never `idp`.
"""
