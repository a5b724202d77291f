"""How far a store has followed the journal of erased people. Every store keeps its own position, so that a restored one shows itself.

Owns: one number per store. Must not know the journal, which lies outside all databases, nor people.
"""
