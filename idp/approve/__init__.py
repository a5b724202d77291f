"""The card: who asks, for what, which data with their values, and what a "no" means; and the public pages of purposes.

Owns: what stands on a card, the answer's way into the consent ledger, the page for people whose NIK was not checked yet. Must not know: how
people sign in, or what a code is. It returns to `authorize` with a verifier, as every step does.
"""
