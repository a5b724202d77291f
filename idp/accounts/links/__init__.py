"""Links between accounts and the people of a provider before ours, and sign-ins that are on their way there.

Owns: link rows (their subjects as keyed digests) and attempts. Must not know: what such a provider answers.
"""
