"""Counters of attempts, shared by all processes. Keys are keyed digests: they tell nobody who was tried.

Owns: counts and their windows. Must not know what is counted or what a full counter means: `idp.web.rate_limits` does.
"""
