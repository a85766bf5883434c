"""`msgbot amazon`: the connection to Amazon: try it, look at it, subscribe to changes, fetch reports."""

from __future__ import annotations

from datetime import datetime

import click
from rich.console import Console
from rich.markup import escape

from msgbot.amazon_check import AmazonCheck, Finding
from msgbot.amazon_status import AccountStatus, AmazonStatus, AsideStatus
from msgbot.cli import waiting
from msgbot.cli.options import data_option, data_options, format_option, run_async
from msgbot.cli.output import amazon_rate_text, console, print_json
from msgbot.clock import system_clock
from msgbot.config import Settings
from msgbot.errors import AmazonError, ConfigError, Conflict, InputError
from msgbot.fetch_reports import REPORT_TYPES, UNSHIPPED
from msgbot.office import open_office
from msgbot.plain.amazon import account_status_data, aside_data
from msgbot.store.amazon_reports import ENDED, ReportState
from msgbot.subscribe import Subscribe, queue_name

_REPORT_SAID = {ReportState.WANTED: "waits to be asked for", ReportState.ASKED: "Amazon works on it"}


@click.group()
def command() -> None:
    """Look after the connection to Amazon."""


@command.command()
@format_option("text", "json")
@data_option
def check(output: str, settings: Settings) -> int:
    """Try what msgbot needs of Amazon, for every connected account, and say what to fix.

    Changes nothing at Amazon. The exit code is 1 when something does not work.
    """
    return run_async(_check(_connected(settings), output))


@command.command()
@format_option("text", "json")
@data_option
def status(output: str, settings: Settings) -> int:
    """Show what works and what does not, since when, how far orders were read, and what is under way.

    The exit code is 1 when something needs a look: it fails, no orders are read any more, a cancellation is unsure, or messages of
    the queue were moved aside in the last day.
    """
    return run_async(_status(_connected(settings), output))


@command.command()
@click.option("--replace", is_flag=True, help="End subscriptions that lead elsewhere, and make new ones.")
@data_option
def subscribe(replace: bool, settings: Settings) -> int:
    """Tell Amazon to send changes of orders to the queue of the setting amazon.queue_url, for every connected account.

    The queue must be there, and let Amazon write to it; README.md says how. Running it again changes nothing. The exit code is 1
    when it could not be done for an account.
    """
    return run_async(_subscribe(_connected(settings), replace=replace))


@command.command()
@click.argument("kind", metavar="TYPE", type=click.Choice(REPORT_TYPES), default=UNSHIPPED)
@click.option("--wait", is_flag=True, help="Wait until it is in.")
@data_options
def report(kind: str, wait: bool, settings: Settings) -> int:
    """Ask Amazon for a report, and take it in when it is made.

    TYPE is an order report, unshipped orders if none is given, or GET_V2_SELLER_PERFORMANCE_REPORT: Amazon's own Cancellation Rate.
    """
    return run_async(_report(_connected(settings), kind, wait=wait))


def _connected(settings: Settings) -> Settings:
    if not settings.amazon.accounts:
        raise ConfigError("no account is connected to Amazon: give [amazon] and [amazon.accounts.NAME] in msgbot.toml (README.md)")
    return settings


async def _check(settings: Settings, output: str) -> int:
    out = console(stderr=output == "json")
    found: dict[str, list[Finding]] = {}
    async with open_office(settings, connected=True) as office:
        if office.amazon is None:
            return 1
        checks = AmazonCheck(office.amazon, system_clock, settings.amazon)
        for account in settings.amazon.accounts:
            found[account] = []
            if output == "text":
                out.print(f"[head]{escape(account)}[/]")
            async for finding in checks.findings(account):
                found[account].append(finding)
                if output == "text":
                    _print_finding(out, finding)
    if output == "json":
        print_json(
            {
                account: [{"what": each.what, "works": each.works, "text": each.text, "advice": each.advice} for each in findings]
                for account, findings in found.items()
            }
        )
    return 0 if all(each.works for findings in found.values() for each in findings) else 1


def print_findings(out: Console, account: str, findings: list[Finding]) -> None:
    """What was tried for an account, and what to do about what fails."""
    out.print(f"[head]{escape(account)}[/]")
    for each in findings:
        _print_finding(out, each)


def _print_finding(out: Console, finding: Finding) -> None:
    out.print(f"  {'[good]works[/]' if finding.works else '[bad]FAILS[/]'}  {finding.what}: {escape(finding.text)}")
    if finding.advice:
        out.print(f"         {'better' if finding.works else 'what to do'}: {finding.advice}", markup=False)


async def _status(settings: Settings, output: str) -> int:
    async with open_office(settings) as office:
        reading = AmazonStatus(office.database, system_clock, has_queue=bool(settings.amazon.queue_url))
        found = [await reading.of(account) for account in settings.amazon.accounts]
        aside = await reading.aside()
    if output == "json":
        print_json({"accounts": [account_status_data(each) for each in found], "aside": aside_data(aside)})
    else:
        out = console()
        for each in found:
            print_status(out, each)
        _print_aside(out, aside)
    return 0 if aside.works and all(each.works for each in found) else 1


def print_status(out: Console, status: AccountStatus) -> None:
    """The state of one account for people."""
    out.print(f"[head]{escape(status.account)}[/]")
    if not status.aspects:
        out.print("  nothing was asked of Amazon yet: `msgbot serve` does")
    for each in status.aspects:
        if each.works:
            out.print(f"  [good]works[/]  {each.aspect.value}, last {_ago(each.worked_at)}")
        else:
            out.print(f"  [bad]FAILS[/]  {each.aspect.value} since {_ago(each.failing_since)}, last worked {_ago(each.worked_at)}")
            out.print(f"         {each.error}", markup=False)
    if status.sync is not None:
        out.print(f"  orders are read up to {status.sync.since:%Y-%m-%d %H:%M:%S} UTC{_reading(status)}")
    for feed in status.feeds:
        style = "bad" if feed.state.value == "unsure" else "quiet"
        out.print(f"  feed {feed.amazon_id or feed.id}: [{style}]{feed.state.value}[/] {escape(feed.note)}")
    counted = ", ".join(f"{number} {state.value}" for state, number in sorted(status.cancellations.items()))
    out.print(f"  cancellations: {counted or 'none'}")
    for unsure in status.unsure:
        out.print(f"  [bad]unsure[/]  {unsure.order_id} may or may not have reached Amazon: {escape(unsure.note)}")
        out.print("         what to do: look at the order in Seller Central; if it was not done there, take it back:", markup=False)
        out.print(f"         msgbot cancel {unsure.order_id} --withdraw", markup=False)
    out.print(f"  Cancellation Rate by the orders on file: {status.rate}")
    for rate in status.rates:
        out.print(f"  Amazon's own: {amazon_rate_text(rate)}", markup=False)


def _reading(status: AccountStatus) -> str:
    if status.due_since is not None:
        return f"; the next reading was [bad]due {_ago(status.due_since)}[/]: is `msgbot serve` running?"
    return "; a reading is under way" if status.sync is not None and status.sync.page_token else ""


def _print_aside(out: Console, aside: AsideStatus) -> None:
    if not aside.count:
        return
    out.print(f"[head]{aside.count} messages of the queue were moved aside[/]; the newest:")
    for each in aside.newest:
        out.print(f"  {each.at:%Y-%m-%d %H:%M} {each.reason}", markup=False)


def _ago(moment: datetime | None) -> str:
    if moment is None:
        return "never"
    seconds = int((system_clock() - moment).total_seconds())
    if seconds < 120:
        return f"{max(seconds, 0)} s ago"
    return f"{seconds // 60} min ago" if seconds < 7_200 else f"{moment:%Y-%m-%d %H:%M} UTC"


async def _subscribe(settings: Settings, *, replace: bool) -> int:
    out = console()
    if not settings.amazon.queue_url:
        raise ConfigError("the setting amazon.queue_url is empty: make an SQS queue, and give its address")
    queue = queue_name(settings.amazon.queue_url, settings.amazon.queue_region)
    code = 0
    async with open_office(settings, connected=True) as office:
        if office.amazon is None:
            return 1
        work = Subscribe(office.amazon, queue)
        for account in settings.amazon.accounts:
            try:
                made = await work.subscribe(account, replace=replace)
            except (AmazonError, Conflict, InputError) as error:
                out.print(f"[bad]{escape(account)}[/]: {escape(str(error))}")
                code = 1
                continue
            word = "is there already" if made.known else "was made"
            out.print(f"[good]{escape(account)}[/]: subscription {made.subscription_id} {word} (destination {made.destination_id})")
    return code


async def _report(settings: Settings, kind: str, *, wait: bool) -> int:
    out = console()
    async with open_office(settings, connected=True) as office:
        asked = await office.fetch_reports.ask(settings.account, kind)
        if not wait:
            out.print(f"{kind} is asked for; `msgbot serve` takes it in. --wait does it here and now.")
            return 0
        told = ""

        async def ended() -> bool:
            nonlocal asked, told
            asked = await office.fetch_reports.get(settings.account, asked.id)
            state = f"  {asked.state.value}: {asked.note or _REPORT_SAID.get(asked.state, '')}"
            if told != state:
                told = state
                out.print(state, markup=False)
            return asked.state in ENDED

        await waiting.wait(out, settings, office, ended)
    return 0 if asked.state is not ReportState.FAILED else 1
