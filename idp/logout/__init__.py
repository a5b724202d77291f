"""Signing out, asked for by an application or by the person; and how applications' pages notice it in the browser.

Owns: whether to ask first, where to lead afterwards, the frames in which services sign out, and the page that tells them whether the
sign-in state changed. Must not know: what a session's end entails; `protocol.ending` does.
"""
