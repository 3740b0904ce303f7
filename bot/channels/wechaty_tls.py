"""TLS to a Wechaty gateway: whom to trust, and why a handshake failed."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TlsConfig:
    """`ca`: PEM file of the authority that signed the gateway's certificate.

    `server_name`: the name in that certificate where it is not the host of the endpoint. A gateway left at its
    defaults shows a certificate for "insecure" whose private key is published in its npm package: with it the line
    is encrypted but anyone can pose as the gateway.
    """

    ca: Path
    server_name: str | None = None


def make_context(config: TlsConfig) -> ssl.SSLContext:
    """A client context that trusts `config.ca` alone; ValueError if that file cannot be used."""
    try:
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=str(config.ca))
    except OSError as error:  # SSLError is one
        raise ValueError(f"cannot read the gateway's CA from {config.ca}: {error}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Python 3.13 switches this on and then refuses the gateway's default CA, which names no key usage.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.set_alpn_protocols(["h2"])
    return context


def explain(error: ssl.SSLError) -> str:
    """What a failed handshake means for the person who set the endpoint up."""
    if isinstance(error, ssl.SSLCertVerificationError):
        if "mismatch" in error.verify_message.lower():
            return f"TLS: the certificate is for another name, set the server name ({error.verify_message})"
        return f"TLS: the certificate is not signed by the CA given ({error.verify_message})"
    reason = getattr(error, "reason", None)  # absent where asyncio made the error itself
    if reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_MESSAGE"):
        return "TLS: the gateway does not speak TLS on this port; unset the CA or switch TLS on there"
    return f"TLS: the handshake failed ({reason or error})"
