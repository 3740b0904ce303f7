"""Fixtures of the bench: `gateway` (plain) and `tls_gateway`. Import them in a conftest; a run shares both.

The process is started once and its world cleared for each test; a test that killed it gets a new one. With CI=true
a missing Node or package is a failure, without it a skip that says what is missing.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.gateway.bench import HERE, GatewayBench, Tls

NPM_SECONDS = 600


def refuse(reason: str) -> None:
    if os.environ.get("CI") == "true":  # noqa: TID251 - of the test run, no setting of the bot
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def node_modules() -> None:
    """`npm ci` once, also when several workers start together."""
    if not shutil.which("node") or not shutil.which("npm"):
        refuse("the gateway tests need Node 18 or newer with npm: not found on PATH")
    with (HERE / ".npm-ci.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (HERE / "node_modules" / ".package-lock.json").exists():
            return
        done = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
            cwd=HERE, capture_output=True, text=True, timeout=NPM_SECONDS, check=False,
        )  # fmt: skip
        if done.returncode:
            refuse(f"npm ci in tests/gateway failed: {done.stderr.strip()[-300:]}")


def own_certificate(folder: Path) -> Tls:
    """A CA of this run and a certificate by it, valid for `gateway.test` and not for 127.0.0.1."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    now = datetime.now(UTC)  # noqa: TID251 - OpenSSL compares with the host's clock

    def certificate(
        name: str, key: ec.EllipticCurvePrivateKey, issuer: str, signer: ec.EllipticCurvePrivateKey
    ) -> x509.Certificate:
        ca = name == issuer
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if not ca:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        return builder.sign(signer, hashes.SHA256())

    def pem(certificate: x509.Certificate) -> str:
        return certificate.public_bytes(serialization.Encoding.PEM).decode()

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = folder / "ca.pem"
    ca.write_text(pem(certificate("bench CA", ca_key, "bench CA", ca_key)))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Tls(pem(certificate("gateway.test", key, "bench CA", ca_key)), private.decode(), ca)


@pytest.fixture(scope="session")
def plain_bench(node_modules: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayBench]:
    bench = GatewayBench(tmp_path_factory.mktemp("gateway"))
    yield bench
    bench.kill()


@pytest.fixture(scope="session")
def tls_bench(node_modules: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayBench]:
    home = tmp_path_factory.mktemp("tls-gateway")
    bench = GatewayBench(home, tls=own_certificate(home))
    yield bench
    bench.kill()


@pytest.fixture
async def gateway(plain_bench: GatewayBench) -> AsyncIterator[GatewayBench]:
    await plain_bench.reset()
    yield plain_bench


@pytest.fixture
async def tls_gateway(tls_bench: GatewayBench) -> AsyncIterator[GatewayBench]:
    await tls_bench.reset()
    yield tls_bench
