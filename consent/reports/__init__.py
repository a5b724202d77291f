"""Reads of copies, reported by the agencies that hold them: each report is one entry of the access log, however often it is sent.

Owns: which reports were taken (their ids and hashes, no content). Must not know: how an agency authenticates, or who `sub` is.
"""

from consent.reports.records import OtherContent, Report, Reported
from consent.reports.store import Reports

__all__ = ["OtherContent", "Report", "Reported", "Reports"]
