"""Complaints (aduan) of citizens about an entry of their history: what was said, until when it is answered, what was answered.

Owns: these rows, their numbers and states. Must not know: who answers, how texts are opened, pages, messages.
"""
