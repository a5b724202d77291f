"""The public page of numbers: how often which agency read, for what, on which ground; and how to check that nobody hides anything.

Owns: one page, and what it keeps for five minutes. Must not know: records or people; it sees daily counts alone.
"""
