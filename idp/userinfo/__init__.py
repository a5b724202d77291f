"""The UserInfo endpoint: what an application may know about the citizen who signed in there.

Owns: reading the token and wrapping the answer. Must not know: how values are sealed or recorded; `protocol.release` asks the door.
"""
