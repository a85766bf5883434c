"""`msgbot check`: every fault in rules and replies, with file and line."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from msgbot.content.replies import read_replies
from msgbot.content.rule_checks import check_rules
from msgbot.content.rule_files import language_folders
from msgbot.errors import ContentError, Fault

_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


@click.command()
@click.option("--rules", type=_FOLDER, help="Folder of rules.  [default: those that msgbot uses]")
@click.option("--replies", type=_FOLDER, help="Folder of replies.  [default: those that msgbot uses]")
def command(rules: Path | None, replies: Path | None) -> int:
    """Find every fault in rules and replies: what cannot be read, words and phrases that repeat, contradict each other or can never
    match, examples that get another intent, and languages that have only one of rules and replies."""
    rules_folder: Traversable | Path = rules or files("msgbot.rules")
    replies_folder: Traversable | Path = replies or files("msgbot.replies")
    faults: list[Fault] = list(check_rules(rules_folder))
    try:
        answered = frozenset(read_replies(replies_folder).languages)
    except ContentError as error:
        faults += error.faults
    else:
        faults += _one_sided(rules_folder, replies_folder, answered)
    for fault in faults:
        click.echo(str(fault))
    if faults:
        click.echo(f"{len(faults)} {'fault' if len(faults) == 1 else 'faults'}", err=True)
        return 1
    click.echo(f"no faults: rules in {len(language_folders(rules_folder))} languages, replies in {len(answered)}")
    return 0


def _one_sided(rules: Traversable | Path, replies: Traversable | Path, answered: frozenset[str]) -> Iterator[Fault]:
    """Languages that are understood but not answered, or answered but not understood."""
    understood = {folder.name for folder in language_folders(rules)}
    for code in sorted(understood - answered):
        yield Fault(f"{replies}/{code}.yaml", 0, 0, f"the file is missing: a buyer who writes in {code!r} is answered in English")
    for code in sorted(answered - understood):
        yield Fault(f"{rules}/{code}/words.yaml", 0, 0, f"the file is missing: nobody who writes {code!r} is understood")
