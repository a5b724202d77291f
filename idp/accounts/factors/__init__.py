"""Second factors: codes of an authenticator application, and printed cards of one-time codes.

Owns: their seeds (secrets, not personal values), which codes were used, and how often a factor failed. Must not know who asks.
"""
