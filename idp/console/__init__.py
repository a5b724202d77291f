"""Pages of administrators and of whoever decides with them: what two people must want.

Owns: proposing, deciding, carrying out. Each is an entry of the access log before it is done. Must not know: how the log is searched.
"""
