"""X.509 certificates of applications (RFC 8705): reading one, its thumbprint, and whom it names. Who holds its key is TLS's matter."""

from __future__ import annotations

import binascii
import hashlib
import ipaddress
import re
from base64 import b64decode
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from keys.encoding import encode

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path

LIMIT: Final = 16384
_TYPE: Final = re.compile(r"(^|(?<!\\)[,+])\s*([A-Za-z][A-Za-z0-9-]*|[0-9.]+)\s*=")
_MALFORMED: Final = (
    ValueError, TypeError, x509.DuplicateExtension, x509.InvalidVersion, x509.UnsupportedGeneralNameType,
    CryptographyDeprecationWarning,  # where warnings are errors: what the library will refuse one day
)  # fmt: skip
_UNDERSTOOD: Final = frozenset({
    ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE, ExtensionOID.EXTENDED_KEY_USAGE, ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
})  # fmt: skip
_NAMES: Final = {"EMAILADDRESS": NameOID.EMAIL_ADDRESS, "E": NameOID.EMAIL_ADDRESS, "SERIALNUMBER": NameOID.SERIAL_NUMBER}


class CertificateUnreadable(Exception):
    """Bytes that are no certificate, or a name that is none of RFC 4514."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate as presented: nobody has said yet that it is to be trusted. `thumbprint` is `x5t#S256` (RFC 8705 §3.1)."""

    thumbprint: str
    begins: dt.datetime
    ends: dt.datetime
    dns: tuple[str, ...]
    uris: tuple[str, ...]
    ips: tuple[str, ...]
    emails: tuple[str, ...]
    parsed: x509.Certificate

    def valid_at(self, now: dt.datetime) -> bool:
        """Tell whether `now` is within its validity (RFC 5280 §4.1.2.5)."""
        return self.begins <= now <= self.ends

    def names(self, subject: str) -> bool:
        """Tell whether its subject is this one of RFC 4514, compared as RFC 4517 §4.2.15 does: neither case nor double spaces count."""
        try:
            wanted = x509.Name.from_rfc4514_string(_TYPE.sub(_spelled, subject.strip()), attr_name_overrides=_NAMES)
        except ValueError:
            return False
        return _comparable(wanted) == _comparable(self.parsed.subject)

    def issued_by(self, authorities: Sequence[Certificate], now: dt.datetime) -> bool:
        """Tell whether it is a client's (RFC 5280 §4.2.1.12), and one of these authorities, itself valid, signed it and may.

        RFC 5280 §4.2: "A certificate-using system MUST reject the certificate if it encounters a critical extension it does not recognize".
        Name constraints are among these: an authority that is bound to some names is none for us.
        """
        valid = [one.parsed for one in authorities if one.valid_at(now) and _understood(one.parsed)]
        return _understood(self.parsed) and _for_clients(self.parsed) and any(_issued(self.parsed, one) for one in valid)


def read(der: bytes) -> Certificate:
    """Read a certificate in DER. Raises: CertificateUnreadable."""
    if len(der) > LIMIT:
        raise CertificateUnreadable
    return _read(der)


def read_pem(text: str) -> Certificate:
    """Read the first certificate of a PEM text. Raises: CertificateUnreadable."""
    begin, end = text.find("-----BEGIN CERTIFICATE-----"), text.find("-----END CERTIFICATE-----")
    if begin < 0 or end < begin:
        raise CertificateUnreadable
    return read_base64("".join(text[begin + 27 : end].split()))


def read_base64(text: str) -> Certificate:
    """Read a certificate in DER under base64, as `x5c` and RFC 9440 write it. Raises: CertificateUnreadable."""
    try:
        return read(b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        raise CertificateUnreadable from error


def authorities(file: Path) -> tuple[Certificate, ...]:
    """Read the authorities of a PEM file. Raises: OSError, CertificateUnreadable."""
    try:
        return tuple(read(one.public_bytes(Encoding.DER)) for one in x509.load_pem_x509_certificates(file.read_bytes()))
    except ValueError as error:
        raise CertificateUnreadable from error


@lru_cache(maxsize=256)
def _read(der: bytes) -> Certificate:
    try:
        parsed = x509.load_der_x509_certificate(der)
        names = _alternatives(parsed)
        _comparable(parsed.subject)  # read now: a name that cannot be read makes the whole unreadable
        return Certificate(
            thumbprint=encode(hashlib.sha256(der).digest()),
            begins=parsed.not_valid_before_utc,
            ends=parsed.not_valid_after_utc,
            dns=tuple(names.get_values_for_type(x509.DNSName)),
            uris=tuple(names.get_values_for_type(x509.UniformResourceIdentifier)),
            ips=tuple(str(ip) for ip in names.get_values_for_type(x509.IPAddress)),
            emails=tuple(names.get_values_for_type(x509.RFC822Name)),
            parsed=parsed,
        )
    except _MALFORMED as error:
        raise CertificateUnreadable from error


def _alternatives(parsed: x509.Certificate) -> x509.SubjectAlternativeName:
    try:
        return parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return x509.SubjectAlternativeName([])


def _comparable(name: x509.Name) -> list[frozenset[tuple[str, str]]]:
    return [frozenset((one.oid.dotted_string, _prepared(one.value)) for one in rdn) for rdn in name.rdns]


def _spelled(found: re.Match[str]) -> str:
    """RFC 4514 §3 and RFC 4512 §2.5: attribute types in any letter case; RFC 2253 §4, older, allowed spaces around them."""
    return f"{found[1]}{found[2].upper()}="


def _prepared(value: str | bytes) -> str:
    return " ".join(value.casefold().split()) if isinstance(value, str) else value.hex()


def _understood(certificate: x509.Certificate) -> bool:
    return all(one.oid in _UNDERSTOOD for one in certificate.extensions if one.critical)


def _for_clients(leaf: x509.Certificate) -> bool:
    try:
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return bool({ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & set(usage))


def _may_sign(authority: x509.Certificate) -> bool:
    try:
        return authority.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        return True


def _issued(leaf: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints).value
        leaf.verify_directly_issued_by(authority)
    except (*_MALFORMED, InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound):
        return False
    return constraints.ca and _may_sign(authority)


def same_ip(one: str, other: str) -> bool:
    """Tell whether two texts are one address (RFC 8705 §2.1.2, `tls_client_auth_san_ip`: dotted decimal, or RFC 5952 for IPv6)."""
    try:
        return ipaddress.ip_address(one) == ipaddress.ip_address(other)
    except ValueError:
        return False
