"""Alerts over a real mail server that somebody else wrote: TLS, passwords, refusals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from delivery_cases import MORNING
from postbox import mail_server

from portal.alert_channels import Mail
from portal.alert_messages import ChannelReceipt, CriticalMessage
from portal.alert_settings import SmtpSettings
from records.errors import DeliveryDeferredError

NOW = datetime.now(UTC)


def authority(folder: Path, name: str) -> tuple[Path, Path, Path]:
    """A certificate authority and a certificate of 127.0.0.1: CA file, certificate, key."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Test authority {name}")])
    ca = signed(ca_name, ca_name, ca_key.public_key(), ca_key, x509.BasicConstraints(ca=True, path_length=0))
    host = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.clinic.test")])
    alone = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = signed(host, ca_name, key.public_key(), ca_key, alone)
    files = [folder / f"{name}-{part}.pem" for part in ("ca", "certificate", "key")]
    pem = serialization.Encoding.PEM
    files[0].write_bytes(ca.public_bytes(pem))
    files[1].write_bytes(certificate.public_bytes(pem))
    files[2].write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return files[0], files[1], files[2]


def signed(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, by: ec.EllipticCurvePrivateKey, more: Any
) -> x509.Certificate:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=1))
    return builder.add_extension(more, critical=isinstance(more, x509.BasicConstraints)).sign(by, hashes.SHA256())


def sent(folder: Path, port: int, *, step: int = 1, **other: object) -> ChannelReceipt:
    """Send the mail of one step."""
    given = {"host": "127.0.0.1", "port": port, "from": "scorebridge@clinic.test", "to": "oncall@clinic.test"}
    mail = Mail("mail", SmtpSettings.model_validate(given | other), folder=folder)
    return mail.send(
        CriticalMessage(
            alert_id=7,
            site="WCP",
            raised_at=MORNING,
            round=1,
            step=step,
            reference="2f0c8a52-0000-5000-8000-000000000000",
        )
    )


def with_password(folder: Path) -> dict[str, object]:
    (folder / "password").write_text("synthetic-password")
    return {"user": "scorebridge", "password": f"file:{folder / 'password'}"}


def test_a_mail_goes_out_encrypted_and_signed_in_by_the_clinics_own_authority(tmp_path: Path) -> None:
    ca, certificate, key = authority(tmp_path, "ours")
    with mail_server(certificate, key) as (box, port):
        receipt = sent(tmp_path, port, ca_file=ca.name, **with_password(tmp_path))
        assert box.encrypted == [True]
        assert box.got[0]["Message-ID"] == receipt.known_as == "<2f0c8a52-0000-5000-8000-000000000000@clinic.test>"
        assert sent(tmp_path, port, ca_file=ca.name, **with_password(tmp_path)) == receipt


def test_a_mail_server_with_the_certificate_of_another_authority_gets_nothing(tmp_path: Path) -> None:
    _, certificate, key = authority(tmp_path, "ours")
    other, _, _ = authority(tmp_path, "other")
    with mail_server(certificate, key) as (box, port):
        with pytest.raises(DeliveryDeferredError, match="SSLCertVerificationError") as caught:
            sent(tmp_path, port, ca_file=str(other), **with_password(tmp_path))
        assert caught.value.code == "unreachable"
        assert box.got == []


def test_a_mail_server_without_encryption_gets_neither_mail_nor_password(tmp_path: Path) -> None:
    with mail_server() as (box, port):
        with pytest.raises(DeliveryDeferredError, match="SMTPNotSupportedError"):
            sent(tmp_path, port)
        assert box.got == []


def test_a_wrong_password_says_so_without_showing_it(tmp_path: Path) -> None:
    ca, certificate, key = authority(tmp_path, "ours")
    with mail_server(certificate, key) as (box, port):
        wrong = with_password(tmp_path)
        (tmp_path / "password").write_text("canary-password")
        with pytest.raises(DeliveryDeferredError, match="mail server fails") as caught:
            sent(tmp_path, port, ca_file=str(ca), **wrong)
        assert "canary" not in str(caught.value)
        assert box.got == []


def test_one_refused_recipient_keeps_the_mail_from_nobody_else_and_is_counted(tmp_path: Path) -> None:
    with mail_server() as (box, port):
        addresses = {"starttls": False, "escalate_to": "nobody@clinic.test"}
        assert sent(tmp_path, port, **addresses).refused == 0
        assert sent(tmp_path, port, step=2, **addresses).refused == 1
        assert len(box.got) == 2
        with pytest.raises(DeliveryDeferredError) as caught:
            sent(tmp_path, port, starttls=False, to="nobody@clinic.test")
        assert caught.value.code == "refused"
