"""Sign-in sessions: who is signed in on which browser, how strongly, until when; and sign-ins that still lack a second factor.

Owns: session rows, the session ids that services know (`sid`), and half-finished sign-ins. Must not know accounts, applications or pages.
"""
