"""RFC 8628 §3.4, §7.2: the grant type of devices."""

from __future__ import annotations

from typing import Final

GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:device_code"
