"""What an application registers, and why it may not (RFC 7591 §2 and the specifications that add fields to it).

Owns: the fields, their rules, the reading of a whole registration. Must not know: where registrations rest, or who may make one. Not needed
to serve a request: imported by registration only.
"""

from idp.spec.client_metadata.reading import read
from idp.spec.client_metadata.records import ClientMetadata, Problem
from idp.spec.client_metadata.vocabulary import KNOWN, LOCALIZED, PROFILES

__all__ = ["KNOWN", "LOCALIZED", "PROFILES", "ClientMetadata", "Problem", "read"]
