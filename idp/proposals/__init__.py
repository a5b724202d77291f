"""Acts that two members of staff must want: proposed by one, decided by another, carried out once.

Owns: proposals and their states. Must not know: what the acts do, who may propose or decide them, names, pages.
"""
