"""What happened and what must still happen: security events, the outbox, and counters of attempts.

Owns: the record of sign-ins and refusals, work that is retried until it is done, and how often something was tried. Security events hold
ids, never personal values; what the outbox carries is sealed. Must not know who asks or what a message says.
"""
