"""The step of enrolling: name, birth date and address → password → proof of the address. Three pages, then signed in.

Owns: these pages and their rules. Must not know: which service asked. What is half-finished rests sealed and is swept.
"""
