"""The vocabulary of the specifications, as pure functions and frozen values.

Owns: how a scope, claim, prompt, code challenge, redirect URI, token or metadata document looks, and which error a wrong one earns.
Must not know: HTTP frameworks, databases, keys, the clock. Each module names its section in its first line.
"""
