"""Signing in on a device without a keyboard: it shows a code, and the citizen enters that code here, on a telephone or computer.

Owns: /device_authorization and the pages under /device. Must not know: what a card looks like, or tokens.
"""
