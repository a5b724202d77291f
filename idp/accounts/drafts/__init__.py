"""Half-finished enrolments: what somebody typed before they proved anything, sealed as a whole, and swept when it expires.

Owns: the sealed draft and its end. Must not know the pages that fill it.
"""
