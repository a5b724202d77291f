"""Applications that register themselves: RFC 7591, RFC 7592, OpenID Connect Dynamic Client Registration 1.0.

Owns: who may, what such an application may ask for before anybody looked at it, software statements, sector lists, and the answers.
Must not know: how applications that staff registers come about, or what anybody signs in for.
"""
