"""Everything about keys: the school's login keys, and the service's own."""

from __future__ import annotations

import typer

from scripts.cli import login_keys, service_keys

app = typer.Typer(no_args_is_help=True, help="The school's login keys, and the service's own keys.")


@app.callback()
def keys() -> None:
    """The school's login keys, and the service's own keys."""


login_keys.add_to(app)
service_keys.add_to(app)
