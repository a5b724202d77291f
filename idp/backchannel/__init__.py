"""Signing in at a counter (CIBA, poll mode): an application names the citizen, who answers on the own telephone or computer.

Owns: /backchannel_authentication and the page /me/requests. Must not know: what a card looks like, or tokens.
"""
