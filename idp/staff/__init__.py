"""Who of the accounts works here, as what, and under which pseudonym.

Owns: members of staff, their roles, pseudonyms. Must not know: their names (sealed cells of their accounts), what a role may do, pages.
"""
