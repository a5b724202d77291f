"""The authorization endpoint: takes a request, decides what comes next, and gives the answer.

Owns: the order of things between an application's request and its code. Must not know: how people prove who they are, how a card
looks, how tokens are made. Pages are steps of their own; each returns here with a verifier.
"""
