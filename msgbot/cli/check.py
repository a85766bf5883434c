"""`msgbot check`: every fault in rules and replies, with file and line."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from msgbot.content.replies import read_replies
from msgbot.content.rule_checks import check_rules
from msgbot.content.rules import read_rules
from msgbot.errors import ContentError, Fault

_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


@click.command()
@click.option("--rules", type=_FOLDER, help="Folder of rules.  [default: those that msgbot uses]")
@click.option("--replies", type=_FOLDER, help="Folder of replies.  [default: those that msgbot uses]")
def command(rules: Path | None, replies: Path | None) -> int:
    """Find every fault in rules and replies: what cannot be read, what can never match, and examples that get another intent."""
    rules_folder: Traversable | Path = rules or files("msgbot.rules")
    replies_folder: Traversable | Path = replies or files("msgbot.replies")
    faults: list[Fault] = list(check_rules(rules_folder))
    languages = 0
    try:
        languages = len(read_replies(replies_folder).languages)
    except ContentError as error:
        faults += error.faults
    for fault in faults:
        click.echo(str(fault))
    if faults:
        click.echo(f"{len(faults)} {'fault' if len(faults) == 1 else 'faults'}", err=True)
        return 1
    rulebook = read_rules(rules_folder)
    click.echo(f"no faults: rules in {len(rulebook.languages)} languages, replies in {languages}")
    return 0
