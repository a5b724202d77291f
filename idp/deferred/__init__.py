"""Requests that are asked in one place and answered in another: on a device without a keyboard (RFC 8628), or at a counter (CIBA).

Owns: these rows, their codes as keyed digests, the rhythm of polling. Must not know: applications, people, pages, tokens.
"""
