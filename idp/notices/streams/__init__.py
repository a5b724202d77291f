"""How an application receives security events: pushed to an address of its own, or fetched by itself.

Owns: one stream per application. Must not know what an event says.
"""
