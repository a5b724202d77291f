"""What this provider says of itself: two metadata documents and its public keys.

Owns: the three public documents and how long they may be cached. Must not know: clients, people, sessions.
"""
