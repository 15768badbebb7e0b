"""A certificate authority for one test: certificates for servers on this machine and for clients, good or expired."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


@dataclass(frozen=True)
class Authority:
    """Signs certificates into a folder.

    Attributes:
        file: Its own certificate, which others trust.
    """

    name: str
    folder: Path
    file: Path
    _certificate: x509.Certificate = field(repr=False)
    _key: ec.EllipticCurvePrivateKey = field(repr=False)

    def server(self, name: str = "localhost", *, days: float = 30, address: str = "127.0.0.1") -> Path:
        """Certificate chain and key of a server on this machine, in one file."""
        names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address(address))]
        return self._signed(name, names, ExtendedKeyUsageOID.SERVER_AUTH, days)

    def client(self, name: str, *, days: float = 30) -> Path:
        """Certificate and key of a client, in one file."""
        return self._signed(name, [x509.DNSName(name)], ExtendedKeyUsageOID.CLIENT_AUTH, days)

    def _signed(self, name: str, names: list[x509.GeneralName], usage: x509.ObjectIdentifier, days: float) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(name, self._certificate.subject, key, days=days)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        path = self.folder / f"{self.name}-{name}-{days:g}.pem"
        path.write_bytes(
            builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)
            + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        return path


def new_authority(folder: Path, name: str = "clinic") -> Authority:
    """An authority nobody else knows."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(name, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key, days=365, authority=True)
    certificate = builder.sign(key, hashes.SHA256())
    file = folder / f"{name}-authority.pem"
    file.write_bytes(certificate.public_bytes(Encoding.PEM))
    return Authority(name, folder, file, certificate, key)


def _builder(
    name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, days: float, authority: bool = False
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
