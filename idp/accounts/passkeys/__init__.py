"""Passkeys: public keys of devices that know their owner by finger, face or PIN, and the challenges that pages gave out.

Owns: their rows, and that a challenge counts once and a counter only grows. Must not know who asks, or what an answer looks like.
"""
