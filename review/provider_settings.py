"""The identity provider people may sign in with, by OpenID Connect."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from store.users import Role


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class ProviderSettings(BaseModel):
    """An OpenID Connect provider (`[web.oidc]`).

    Attributes:
        issuer: The provider's issuer, exactly as its discovery document says; https, but for this machine itself.
        client_id: How the provider knows this program.
        client_secret: Place of the secret (env:NAME, file:PATH, keyring:SERVICE/USER), or None for a public client.
        redirect_url: Address of `/sign-in/provider/callback` as browsers reach it, registered at the provider.
        name: What the button says after "Sign in with".
        scopes: What is asked for; "openid" belongs to it.
        match_claim: Claim whose value is the user name here, at the first sign-in; later only the subject counts.
            An "email" must be verified. "none": people are linked by a command only.
        role_claim: Claim with groups or roles, or None: the role is the one set here.
        roles: Value of `role_claim` to role; the first of them that the person has. Whoever has none is refused.
        second_factor: "provider": signing in there is enough. "claims": enough if `amr` or `acr` say that there was a
            second factor. "here": our own code is asked for all the same.
        trusted_amr: Values of `amr` that stand for a second factor.
        trusted_acr: Values of `acr` that stand for a second factor.
        algorithms: Signatures of ID tokens that are accepted.
        timeout_seconds: Longest wait for one answer of the provider.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    issuer: str
    client_id: str = Field(min_length=1)
    client_secret: str | None = Field(default=None, pattern=r"^(env|file|keyring):\S")
    redirect_url: str
    name: str = Field(default="single sign-on", min_length=1, max_length=40)
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    match_claim: str = Field(default="email", min_length=1)
    role_claim: str | None = None
    roles: Mapping[str, Role] = {}
    second_factor: Literal["provider", "claims", "here"] = "claims"
    trusted_amr: tuple[str, ...] = ("mfa", "otp", "hwk", "swk", "fpt", "face", "sms", "tel")
    trusted_acr: tuple[str, ...] = ()
    algorithms: tuple[Literal["RS256", "PS256", "ES256", "ES384", "EdDSA"], ...] = ("RS256", "PS256", "ES256")
    timeout_seconds: float = Field(default=10.0, gt=0, le=60)

    @field_validator("issuer", "redirect_url")
    @classmethod
    def _is_protected(cls, address: str) -> str:
        parts = urlsplit(address)
        if parts.scheme == "https" and parts.hostname:
            return address
        if parts.scheme == "http" and parts.hostname and _is_loopback(parts.hostname):
            return address
        raise ValueError("an address begins with https://, but for this machine itself")

    @field_validator("redirect_url")
    @classmethod
    def _comes_back(cls, address: str) -> str:
        if urlsplit(address).path != "/sign-in/provider/callback":
            raise ValueError("the path of redirect_url is /sign-in/provider/callback")
        return address

    @field_validator("scopes")
    @classmethod
    def _is_openid(cls, scopes: tuple[str, ...]) -> tuple[str, ...]:
        if "openid" not in scopes:
            raise ValueError("scopes begin with openid")
        return scopes
