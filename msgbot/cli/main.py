"""`msgbot`: the commands, the options that all share, and what happens when something goes wrong.

Exit codes: 0 done; 1 done, but something needs a look (a blocked cancellation, an unreadable input, a broken chain, faulty rules);
2 not started, because of a wrong option, file or setting; 70 a fault in msgbot itself; 130 stopped by the user.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

from msgbot.errors import MsgbotError

LOOK, USAGE, INTERNAL, STOPPED = 1, 2, 70, 130

# Loaded when called, so that `msgbot detect` starts without the database. The order is the one in which a user meets them.
_COMMANDS = {
    "demo": ("msgbot.cli.demo", "Show msgbot at work on a sample mailbox."),
    "answer": ("msgbot.cli.answer", "Answer buyers' messages from files."),
    "try": ("msgbot.cli.explain", "Show what the detector sees in a text."),
    "detect": ("msgbot.cli.detect", "Detect requests in JSON lines, fast."),
    "orders": ("msgbot.cli.orders", "Take order reports and saved answers in."),
    "guard": ("msgbot.cli.guard", "Check a cancellation file row by row."),
    "cancel": ("msgbot.cli.cancel", "Cancel one order, if the guard allows it."),
    "adjust": ("msgbot.cli.adjust", "Refund what was not shipped of an order."),
    "amazon": ("msgbot.cli.amazon", "Look after the connection to Amazon."),
    "serve": ("msgbot.cli.serve", "Run the HTTP service."),
    "worker": ("msgbot.cli.worker", "Do a share of the work on PostgreSQL."),
    "audit": ("msgbot.cli.audit", "Show what became of informal requests."),
    "account": ("msgbot.cli.account", "Add, list and change seller accounts."),
    "user": ("msgbot.cli.user", "Add, list and change users."),
    "token": ("msgbot.cli.token", "Create, list and revoke tokens."),
    "backup": ("msgbot.cli.backup", "Copy the database to a new file."),
    "prune": ("msgbot.cli.prune", "Remove personal data that is old enough."),
    "migrate": ("msgbot.cli.migrate", "Bring the database up to this release."),
    "check": ("msgbot.cli.check", "Find every fault in rules and replies."),
    "rules": ("msgbot.cli.rules", "Measure and compare rules."),
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(_COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="msgbot", message="msgbot %(version)s")
def cli() -> None:
    """Answers Amazon buyers who ask a seller to cancel, and keeps the seller from cancelling informally.

    Start with: msgbot demo
    """


def run() -> None:
    """Runs the command line and ends the process with the right exit code. A person never sees a traceback."""
    try:
        sys.exit(_run())
    except BrokenPipeError:
        # Whoever read our output has seen enough (`msgbot ... | head`). Closing it again at exit would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _run() -> int:
    try:
        result: Any = cli.main(standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        return STOPPED
    except BrokenPipeError:
        raise
    except MsgbotError as error:
        click.echo(f"msgbot: {error}", err=True)
        return USAGE
    except OSError as error:
        click.echo(f"msgbot: {error.filename or 'a file'}: {error.strerror or error}", err=True)
        return USAGE
    except Exception as error:
        if os.environ.get("MSGBOT_DEBUG"):
            raise
        click.echo(
            f"msgbot: a fault in msgbot itself ({type(error).__name__}: {error}). What was done before it stays done.", err=True
        )
        click.echo("Please report it; with MSGBOT_DEBUG=1 in the environment the details are shown.", err=True)
        return INTERNAL
    return result if isinstance(result, int) else 0
