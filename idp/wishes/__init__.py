"""What citizens wish for beyond single permissions: how they are told of reads, and the monthly letter.

Owns: these wishes, and how far the month's letters are. Must not know: what is told, by whom data is read, pages.
"""
