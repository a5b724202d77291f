"""The citizen's own pages: the door, who read my data, my permissions, my data, erasing the account.

Owns: what a citizen sees about himself and the few things he can do there. Must not know: how entries are proven, values are opened or
accounts are erased; it asks `consent` and `idp.protocol`.
"""
