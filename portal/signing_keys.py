"""The private key this program signs with for SMART Backend Services, and the public half that servers are given.

Two kinds, as SMART App Launch 2 asks of every server (https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html):
RSA of 2048 bits or more signs RS384, EC on the curve P-384 signs ES384.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Final, Literal

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from portal.secret_places import SecretReference, read_secret_text
from records.errors import SettingsError

Algorithm = Literal["RS384", "ES384"]
ALGORITHMS: Final[tuple[Algorithm, ...]] = ("RS384", "ES384")
_LEAST_RSA_BITS: Final = 2048
_NEW_RSA_BITS: Final = 3072
_CURVE: Final = "P-384"
_PUBLIC: Final = ("kty", "n", "e", "crv", "x", "y")


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A private key, ready to sign.

    Attributes:
        key_id: Name under which the public key is registered (`kid`).
    """

    algorithm: Algorithm
    key_id: str
    key: RSAKey | ECKey = field(repr=False)

    def public_jwk(self) -> dict[str, str | list[str]]:
        """The public half, as a server keeps it (RFC 7517)."""
        public = self.key.as_dict(private=False)
        parts: dict[str, str | list[str]] = {name: public[name] for name in _PUBLIC if name in public}
        return {**parts, "kid": self.key_id, "use": "sig", "alg": self.algorithm, "key_ops": ["verify"]}


def load_signing_key(reference: SecretReference, *, key_id: str | None = None) -> SigningKey:
    """The key at a place, PEM without a password or JWK.

    Args:
        key_id: None for the JWK's own, or else the key's thumbprint (RFC 7638).

    Raises:
        SettingsError: There is none, or it cannot sign; the message names the place and never shows a key.
    """
    text = read_secret_text(reference).get_secret_value()
    key = _read_key(text)
    if key is None:
        raise _unusable(reference, "is no RSA or EC key without a password, in PEM or as a JWK")
    if not key.is_private:
        raise _unusable(reference, "is a public key, which cannot sign")
    algorithm = _algorithm(key)
    if algorithm is None:
        raise _unusable(reference, f"is neither RSA of {_LEAST_RSA_BITS} bits or more nor EC on {_CURVE}")
    return SigningKey(algorithm=algorithm, key_id=key_id or _own_key_id(key), key=key)


def _unusable(reference: SecretReference, what: str) -> SettingsError:
    return SettingsError(
        f"The key at {reference} {what}.", next_step="Make one with “scorebridge destination new-key FILE”."
    )


def _read_key(text: str) -> RSAKey | ECKey | None:
    value: str | dict[str, str | list[str]] = text
    if text.startswith("{"):
        try:
            value = json.loads(text)
        except ValueError:
            return None
    for kind in (RSAKey, ECKey):
        try:
            return kind.import_key(value)
        except (JoseError, ValueError, TypeError, KeyError):  # whatever is wrong, its text may hold parts of the key
            continue
    return None


def _algorithm(key: RSAKey | ECKey) -> Algorithm | None:
    if isinstance(key, RSAKey):
        return "RS384" if key.raw_value.key_size >= _LEAST_RSA_BITS else None
    return "ES384" if key.as_dict(private=False).get("crv") == _CURVE else None


def _own_key_id(key: RSAKey | ECKey) -> str:
    return key.kid or key.thumbprint()


def new_private_key(algorithm: Algorithm) -> bytes:
    """A new private key as PEM (PKCS 8), without a password."""
    if algorithm == "RS384":
        return RSAKey.generate_key(_NEW_RSA_BITS).as_pem(private=True)
    return ECKey.generate_key(_CURVE).as_pem(private=True)
