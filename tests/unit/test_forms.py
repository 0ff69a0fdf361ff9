"""Which form an `Accept` header asks for."""

from __future__ import annotations

import pytest

from api.forms import Form, preferred

ALL = (Form.JSON, Form.CSV, Form.HTML)
CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", Form.JSON),
        ("*/*", Form.JSON),
        (CHROME, Form.HTML),
        ("text/html", Form.HTML),
        ("TEXT/HTML ; Q=1", Form.HTML),
        ("text/html;q=0", Form.JSON),
        ("text/html;q=0, */*", Form.JSON),
        ("text/html;q=0.0, text/*", Form.CSV),
        ("text/html;q=0.4, text/csv;q=0.5", Form.CSV),
        ("text/html;q=0.4, application/json;q=0.5", Form.JSON),
        ("application/json;q=0, */*;q=0.1", Form.CSV),
        ("text/csv, text/html", Form.CSV),
        ("text/html, text/csv", Form.HTML),
        ("text/html, */*", Form.HTML),
        ("text/html;q=nan", Form.HTML),
        ("text/html;q=2, text/csv;q=0.9", Form.HTML),
        ("image/png", Form.JSON),
        ("text/html;level=1;q=0.7, application/json;q=0.6", Form.HTML),
    ],
)
def test_the_form_that_is_wanted_most(accept: str, form: Form) -> None:
    assert preferred(accept, ALL) is form
