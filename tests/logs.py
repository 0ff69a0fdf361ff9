"""What is logged, told apart by who says it."""

from __future__ import annotations

import pytest


def said_by(logger: str, caplog: pytest.LogCaptureFixture) -> list[str]:
    """What one logger has said in this test.

    The service and the worker of the API's tests live as long as the whole run, and may say something, too.
    """
    return [record.getMessage() for record in caplog.records if record.name == logger]
