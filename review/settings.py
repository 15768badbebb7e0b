"""Where the review pages are reachable, and how they are protected on the way."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from review.provider_settings import ProviderSettings


def is_loopback(host: str) -> bool:
    """Whether an address or host name never leaves this machine."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class WebSettings(BaseModel):
    """Address of the review pages.

    Attributes:
        host: Address to listen on. Anything but this machine itself needs a certificate.
        port: TCP port; 0 lets the system choose one.
        certificate: PEM file with the certificate chain, or None for plain HTTP on this machine.
        key: PEM file with its private key; given together with `certificate`.
        names: Further host names the pages are reached by; empty accepts the names of this machine on a loopback
            address, and every name on others, where the certificate vouches for the name.
        second_factor: Whether everybody must set up an authenticator app, or may; None asks it of everybody where the
            pages are reachable from other machines. Whoever has one is always asked for its code.
        oidc: The identity provider people may sign in with, or None.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=8765, ge=0, le=65535)
    certificate: Path | None = None
    key: Path | None = None
    names: tuple[str, ...] = ()
    second_factor: Literal["required", "optional"] | None = None
    oidc: ProviderSettings | None = None

    @model_validator(mode="after")
    def _is_protected(self) -> WebSettings:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together: give both or neither")
        if self.certificate is None and not is_loopback(self.host):
            raise ValueError(
                f"host {self.host} is reachable from other machines: give certificate and key, or use 127.0.0.1"
            )
        return self

    @property
    def has_tls(self) -> bool:
        """Whether pages are served over TLS."""
        return self.certificate is not None

    @property
    def needs_second_factor(self) -> bool:
        """Whether everybody must have a second factor."""
        if self.second_factor is not None:
            return self.second_factor == "required"
        return not is_loopback(self.host)

    def answers_to(self, name: str) -> bool:
        """Whether a request may name this host, so that no foreign name can be pointed at this machine."""
        if name.lower() in {known.lower() for known in self.names} or name.strip("[]") == self.host:
            return True
        return is_loopback(name) if is_loopback(self.host) else not self.names
