"""Certificates and mailers for the mail server of the tests."""

from __future__ import annotations

import pytest

from api.tls import LocalCertificates, make_local_certificates


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> LocalCertificates:
    """Certificates for this machine."""
    return make_local_certificates(tmp_path_factory.mktemp("mail") / "tls")
