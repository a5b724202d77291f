"""Packages of subject openings: encrypted to one auditor before they come here, kept in parts until their time is over.

Owns: these rows. Must not know: what is inside, who may fetch it, pages.
"""
