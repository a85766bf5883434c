"""Measures msgbot against plainer ways to find requests to cancel an order: how right they are, and how fast.

    python benchmarks/detect.py LABELS.jsonl --train TRAIN.jsonl --out FOLDER

Everything is measured in one run, in one process, on one core. README.md beside this file says what is measured and how.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from accuracy import FOLDS, TooFewError, judged, learned, scores_of
from methods import METHODS
from report import Report, plot
from rows import InputError, example_rows, read_rows, same
from speed import Speed, clock, mean_length, measure, stream_of

FEWEST_ROUNDS = 3
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def options_of(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "labels", nargs="?", type=Path, help="labelled messages; without them only speed is measured, on the rules' examples"
    )
    parser.add_argument("--train", type=Path, help="labelled messages to train on (default: LABELS, in folds)")
    parser.add_argument("--out", type=Path, default=Path("benchmark"), help="folder for the results (default: benchmark)")
    parser.add_argument("--seconds", type=float, default=2.0, help="seconds for each method and round (default: 2)")
    parser.add_argument("--rounds", type=int, default=5, help=f"rounds, at least {FEWEST_ROUNDS} (default: 5)")
    options = parser.parse_args(arguments)
    if options.rounds < FEWEST_ROUNDS:
        parser.error(f"--rounds must be at least {FEWEST_ROUNDS}")
    if not 0 < options.seconds < float("inf"):
        parser.error("--seconds must be a number above 0")
    if options.train and not options.labels:
        parser.error("--train needs LABELS")
    return options


def missing(packages: Iterable[tuple[str, str]]) -> str:
    """What keeps packages from being used, and the way out; nothing when all work."""
    for module, name in packages:
        try:
            importlib.import_module(module)
        except Exception as error:  # a broken installation may raise anything
            return f"{error} (pip install {name})"
    return ""


def use_one_core() -> None:
    for name in THREADS:
        os.environ[name] = "1"
    if sys.platform == "linux":
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def versions() -> dict[str, str]:
    found = {}
    for name in ("msgbot", "rapidfuzz", "spacy", "scikit-learn"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def run(options: argparse.Namespace) -> None:
    """Measures everything and writes the results. Raises InputError."""
    # Not before `main` has seen that msgbot is there.
    from msgbot.domain.measure import NOT_SCORED

    rows = read_rows(options.labels) if options.labels else example_rows()
    scored = [row for row in rows if row.tier not in NOT_SCORED] if options.labels else []
    training, taught = None, f"What learns was tested on {FOLDS} folds of these messages, each with what it learned from the others"
    if options.train and not (options.train.exists() and options.train.samefile(options.labels)):
        training = [row for row in read_rows(options.train) if row.tier not in NOT_SCORED]
        tested = {same(row.text) for row in scored}
        shared = len(training) - len(training := [row for row in training if same(row.text) not in tested])
        taught = f"What learns was trained on {len(training):,} other messages ({shared:,} that are in both files left out)"
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{options.out}: {error.strerror}") from error
    stream = stream_of(rows)
    if not stream.warm_up:
        raise InputError(f"{options.labels}: too few messages to measure speed")
    facts = {
        "labels": options.labels.name if options.labels else None,
        "scored": len(scored),
        "requests": sum(row.is_request for row in scored),
        "training": taught,
        "speed": {
            "messages": len(stream.fresh),
            "mean_length": mean_length(stream.fresh),
            "with_cancel": statistics.fmean("cancel" in text.casefold() for text in stream.fresh),
            "rounds": options.rounds,
            "seconds": options.seconds,
            "clock": "processor time" if clock is time.process_time else "wall clock",
        },
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "versions": versions(),
    }
    report = Report(facts)
    memories: dict[str, object] = {}
    for method in METHODS:
        reason = missing(method.packages)
        try:
            if not reason:
                say(f"judging: {method.name}")
                if method.judges and scored:
                    report.scores[method.name] = scores_of(scored, judged(method, scored, training))
                memories[method.name] = learned(method, training if training is not None else scored or rows)
        except TooFewError as error:
            reason = str(error)
        if reason:
            report.skipped[method.name] = reason
            say(f"skipped: {method.name}: {reason}")
    race = [method for method in METHODS if method.name in memories]
    report.speeds.update((method.name, Speed()) for method in race)
    for number in range(options.rounds):
        say(f"measuring speed: round {number + 1} of {options.rounds}")
        # Each round begins with another method, so that none is always first or always after the same one.
        for method in race[number % len(race) :] + race[: number % len(race)]:
            measure(method, memories[method.name], stream, options.seconds, report.speeds[method.name])
    write(report, options.out)


def write(report: Report, folder: Path) -> None:
    text = report.markdown()
    try:
        (folder / "detect.md").write_text(text, encoding="utf-8")
        (folder / "detect.json").write_text(json.dumps(report.plain(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        if any(scores[""].f1 is not None for scores in report.scores.values()):
            reason = missing([("matplotlib", "matplotlib")])
            if reason:
                say(f"skipped: plot: {reason}")
            else:
                plot(report, folder)
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror}") from error
    print(text, end="")


def main(arguments: Sequence[str] | None = None) -> int:
    options = options_of(arguments)
    use_one_core()
    reason = missing([("msgbot", "--editable .")])
    if reason:
        say(f"msgbot: {reason}")
        return 2
    try:
        run(options)
    except InputError as error:
        say(str(error))
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
