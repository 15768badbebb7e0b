"""How long a certificate file is good."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography import x509

from records.errors import SettingsError


def certificate_end(file: Path) -> datetime:
    """When the first of a PEM file's certificates to end ends, in UTC.

    Raises:
        SettingsError: It cannot be read, or holds no certificate.
    """
    try:
        chain = x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError) as error:
        raise SettingsError(f"The certificate file {file} cannot be read ({type(error).__name__}).") from None
    return min(certificate.not_valid_after_utc for certificate in chain)
