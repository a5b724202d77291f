"""What several steps of the protocol share: checks, client authentication, issuing, releasing, ending, the courier.

Owns: the ways of the protocol that more than one endpoint walks. Must not know: single endpoints and pages.
"""
