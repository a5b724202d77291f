"""One-time codes sent to a person or printed for them: for enrolment, for a forgotten password, for a counter's slip.

Owns: their digests, how often each was tried, and that each works once. Must not know how a code travels.
"""
