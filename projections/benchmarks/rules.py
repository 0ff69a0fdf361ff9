"""The rules of disclosure control as the operator sets them: a TOML file, of which nothing weak is taken."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from domain.errors import Finding, InvalidInput
from projections.disclosure import VERSION, Rules

REFUSED = "Benchmarks cannot be released under these rules"


def read_rules(path: Path | None) -> Rules:
    """The rules of a file; the usual ones without a file, and for whatever the file leaves out.

    Raises:
        InvalidInput: The file cannot be read, names a rule that there is not, or sets one so low that it
            protects nobody.
    """
    if path is None:
        return Rules()
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError, tomllib.TOMLDecodeError):
        raise InvalidInput(
            REFUSED, [Finding(field="rules", found=str(path)[:60], accepted="a TOML file that can be read")]
        ) from None
    findings = []
    accepted = f"one of {', '.join(name for name in Rules.__struct_fields__ if name != 'version')}"
    findings += [
        Finding(field=name[:60], found=str(given[name])[:60], accepted=accepted)
        for name in given
        if name not in Rules.__struct_fields__
    ]
    if given.get("version", VERSION) != VERSION:
        findings.append(Finding(field="version", found=str(given["version"])[:60], accepted=str(VERSION)))
    if findings:
        raise InvalidInput(REFUSED, findings)
    try:
        rules = msgspec.convert(given, Rules)
    except msgspec.ValidationError as error:
        finding = Finding(field="rules", found=str(error)[:60], accepted="whole numbers, true and false")
        raise InvalidInput(REFUSED, [finding]) from None
    return checked(rules)


def checked(rules: Rules) -> Rules:
    """The rules, unless they are weaker than what is promised.

    Raises:
        InvalidInput: They are.
    """
    if weak := rules.weaknesses():
        accepted = "rules as strong as promised: docs/analysts.md"
        raise InvalidInput(
            REFUSED, [Finding(field="rules", found=each[:60], accepted=accepted) for each in weak]
        )
    return rules
