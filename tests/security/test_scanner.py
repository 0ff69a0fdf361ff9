"""What an independent scanner finds: sslscan, where it is installed.

`tests/security/test_suites.py` asks the same with clients that are always there.
"""

from __future__ import annotations

import shutil
import subprocess
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring

from tests.security.conftest import KINDS, MODES, Serving

pytestmark = pytest.mark.skipif(not shutil.which("sslscan"), reason="sslscan is not installed")


def scan(port: int) -> Element:
    result = subprocess.run(
        ["sslscan", "--xml=-", f"127.0.0.1:{port}"], capture_output=True, timeout=120, check=True
    )
    found: Element = fromstring(result.stdout)
    test = found.find("ssltest")
    assert test is not None
    return test


@pytest.mark.parametrize(("mode", "kind"), [(mode, kind) for mode in MODES for kind in KINDS])
def test_what_sslscan_finds(services: dict[tuple[str, str], Serving], mode: str, kind: str) -> None:
    found = scan(services[mode, kind].port)
    enabled = {
        f"{each.get('type')} {each.get('version')}"
        for each in found.iter("protocol")
        if each.get("enabled") == "1"
    }
    assert enabled == {"tls 1.2", "tls 1.3"}
    suites = {each.get("cipher") for each in found.iter("cipher")}
    approved = {
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        f"ECDHE-{kind}-AES128-GCM-SHA256",
        f"ECDHE-{kind}-AES256-GCM-SHA384",
    }
    others = {"TLS_CHACHA20_POLY1305_SHA256", f"ECDHE-{kind}-CHACHA20-POLY1305"}
    assert suites == approved | (others if mode == "ordinary" else set())
    groups = {each.get("name") for each in found.iter("group")}
    p_256, p_384 = "secp256r1 (NIST P-256)", "secp384r1 (NIST P-384)"
    if mode == "FIPS":
        assert groups == {p_256, p_384}
    else:
        assert groups > {p_256, p_384, "x25519"}
    renegotiation = found.find("renegotiation")
    assert renegotiation is not None
    assert renegotiation.get("supported") == "0"
    assert {each.get("vulnerable") for each in found.iter("heartbleed")} == {"0"}
