"""Pages: templates, texts in both languages, the stylesheet, and the one object that turns a context into an answer.

Owns how everything looks and reads. Must not know: stores, sessions or the protocol; steps hand over what is to be shown.
"""
