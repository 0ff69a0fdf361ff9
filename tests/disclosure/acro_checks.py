"""Runs the checks of ACRO over contributions, in an interpreter that has ACRO: see `test_independent.py`.

Reads rows of `cell,value` from standard input, one for each contribution of a school, and the parameters of
the rules as JSON from the first argument. Writes, as JSON, the checks that each cell fails.
"""

from __future__ import annotations

import json
import logging
import sys


def main() -> None:
    import acro
    import pandas as pd

    logging.disable(logging.CRITICAL)
    checker = acro.ACRO(suppress=False)
    checker.config.update(json.loads(sys.argv[1]))
    rows = pd.read_csv(sys.stdin, dtype={"cell": str})
    checker.crosstab(
        rows["cell"], pd.Series("n", index=rows.index, name="n"), values=rows["value"], aggfunc="sum"
    )
    (record,) = checker.results.results.values()
    failed = {
        cell: sorted(check for check in outcome.replace(";", " ").split() if check != "ok")
        for cell, outcome in record.outcome["n"].items()
    }
    sys.stdout.write(json.dumps(failed))


if __name__ == "__main__":
    main()
