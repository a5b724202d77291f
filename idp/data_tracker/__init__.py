"""/v2/findUsage, /v2/usagePeriod, /v2/heartbeat: the history for portals that show it elsewhere, as Estonia's data tracker asks for it.

Owns: the interface's parameters and answers. Must not know: how entries are opened, or what a grant is.
"""
