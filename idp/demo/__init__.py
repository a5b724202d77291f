"""The provider with three applications of made-up agencies and sample people, to try it and to test it.

Owns: made-up agencies, applications, citizens and their derived secrets. Must not know: how anything of the provider works inside; its
applications use the provider as strangers would, through discovery, with Authlib's client.
"""
