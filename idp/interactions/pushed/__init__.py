"""Pushed authorization requests: parameters that an application left before it sends somebody (RFC 9126).

Owns: their rows, sealed, and that each yields one answer. Must not know: what a valid request is, who pushed it otherwise than by name.
"""
