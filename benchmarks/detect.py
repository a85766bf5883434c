"""Measures msgbot against plainer ways to find requests to cancel an order: how right they are, and how fast.

    python benchmarks/detect.py LABELS.jsonl --train TRAIN.jsonl --out FOLDER

Everything is measured in one run, in one process, on one core. README.md beside this file says what is measured and how.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import importlib.resources
import json
import os
import pickle
import platform
import re
import statistics
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

Judge = Callable[[Sequence[str]], list[bool]]
"""Says of each text whether it asks to cancel."""

NOT_SCORED = frozenset({"ambiguous", "conditional"})
FOLDS = 5
LEAST_REQUESTS = 10
"""With fewer requests (or others) in the training rows, nothing is trained."""
LENGTH = 75
"""The mean length that the messages of the speed test should have."""
LONGEST = 120
WARM_UP = 300
MOST_MEASURED = 10_000
MOST_FAULTS = 20
FEWEST_ROUNDS = 3
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

# Processor time leaves out what other programs on the machine took; where it is counted too coarsely, the wall clock must do.
clock = time.process_time if time.get_clock_info("process_time").resolution < 1e-4 else time.perf_counter


class Row(NamedTuple):
    """A labelled message."""

    text: str
    is_request: bool
    source: str
    language: str
    tier: str


class InputError(Exception):
    """What is wrong with the input, one line for each fault."""


class TooFewError(Exception):
    """The rows do not suffice to train on."""


# --- the methods ---


@dataclass(frozen=True)
class Method:
    """One way to find requests. `make` builds it from nothing, with what `learn` found in the training rows. `packages` are what it
    needs: module and the name that pip knows. A method that `judges` nothing is a limit of speed."""

    name: str
    make: Callable[[Any], Judge]
    learn: Callable[[Sequence[Row]], Any] | None = None
    packages: tuple[tuple[str, str], ...] = ()
    judges: bool = True
    note: str = ""


def make_msgbot(_: object) -> Judge:
    # Imported anew, so that nothing a module remembers lives on from one pass to the next.
    for name in [name for name in sys.modules if name.partition(".")[0] == "msgbot"]:
        del sys.modules[name]
    from msgbot import Detector, built_in_rules

    detect = Detector(built_in_rules()).detect
    return lambda texts: [detect(text).intent.value == "request" for text in texts]


def make_keyword(_: object) -> Judge:
    return lambda texts: ["cancel" in text.casefold() for text in texts]


PHRASES = (
    "please cancel my order", "I would like to cancel my order", "can you cancel this order for me", "cancel the order please",
    "how do I cancel an order", "I need to cancel the order I placed", "I want to cancel my purchase", "could you cancel it please",
    "please cancel this item", "cancel one item from my order", "I want my order cancelled", "can my order still be cancelled",
    "is it possible to cancel the order", "help me cancel my order", "please stop my order", "do not send my order",
    "please do not ship this", "I no longer need this order", "I don't want this order anymore", "I changed my mind about it",
    "I ordered this by mistake", "I ordered the same thing twice", "I request the cancellation of my order",
    "cancel my order before it ships", "cancel and refund my order", "withdraw my order", "where can I cancel my purchase",
    "bitte stornieren Sie meine Bestellung", "ich möchte meine Bestellung stornieren", "ich widerrufe meine Bestellung",
    "merci d'annuler ma commande", "je voudrais annuler ma commande", "quiero cancelar mi pedido", "por favor anulen mi pedido",
    "vorrei annullare il mio ordine", "quero cancelar o meu pedido", "ik wil mijn bestelling annuleren",
    "jag vill avbeställa min order", "請取消我的訂單", "请取消我的订单", "注文をキャンセルしたいです",
)  # fmt: skip


def learn_phrases(rows: Sequence[Row]) -> float:
    """The score from which a message counts as a request."""
    scores = [score for score, _ in map(phrase_scorer(), (row.text for row in rows))]
    return best_threshold(scores, [row.is_request for row in rows])


def make_phrases(threshold: float) -> Judge:
    nearest = phrase_scorer(threshold)
    return lambda texts: [nearest(text)[1] for text in texts]


def phrase_scorer(threshold: float = 0.0) -> Callable[[str], tuple[float, bool]]:
    """A function from a text to the score of the nearest phrase, and whether it reaches `threshold`."""
    fuzzy = importlib.import_module("rapidfuzz")
    extract, scorer, plain = fuzzy.process.extractOne, fuzzy.fuzz.token_set_ratio, fuzzy.utils.default_process
    phrases = [plain(phrase) for phrase in PHRASES]

    def nearest(text: str) -> tuple[float, bool]:
        found = extract(plain(text), phrases, scorer=scorer, score_cutoff=threshold)
        return (found[1], True) if found else (0.0, False)

    return nearest


CANCEL = {"LOWER": {"FUZZY1": {"IN": ["cancel", "canceling", "cancelling", "cancellation", "annul"]}}}
CANCELLED = {"LOWER": {"FUZZY1": {"IN": ["canceled", "cancelled"]}}}
OURS = {
    "LOWER": {"FUZZY1": {"IN": ["order", "orders", "purchase", "purchases", "item", "items", "product", "shipment", "article"]}}
}
IT = {"LOWER": {"IN": ["it", "this", "that", "them", "these", "one"]}}
OTHERS = {
    "LOWER": {
        "FUZZY1": {
            "IN": [
                "subscription", "account", "membership", "newsletter", "reservation", "reservations", "flight", "flights", "hotel",
                "booking", "ticket", "transfer", "transfers", "transaction", "payment", "debit", "card", "cheque", "timer",
                "timers", "alarm", "alarms", "reminder", "reminders", "meeting", "meetings", "event", "events", "appointment",
                "calendar", "insurance", "service", "policy", "refund", "return", "charge", "penalty", "withdrawal", "request",
                "dinner",
            ]
        }
    }
}  # fmt: skip


def some(most: int) -> dict[str, str]:
    """Any words, up to `most`."""
    return {"OP": f"{{0,{most}}}"}


def words(*forms: str) -> list[dict[str, str]]:
    """These words, one after the other."""
    return [{"LOWER": form} for form in forms]


def one_of(*forms: str) -> dict[str, Any]:
    return {"LOWER": {"IN": list(forms)}}


# spaCy cuts "don't" into "do" and "n't".
NOT = one_of("not", "n't", "nt", "never")
FOR = [
    [CANCEL, some(5), OURS],
    [OURS, {"OP": "?"}, {"LOWER": {"FUZZY1": {"IN": ["cancellation", "cancelation"]}}}],
    [one_of("want", "need", "like", "get", "have"), some(2), OURS, some(2), CANCELLED],
    [OURS, one_of("to"), one_of("be"), CANCELLED],
    [one_of("please", "pls", "plz"), some(1), CANCEL, IT],
    [one_of("can", "could", "want", "like"), some(3), CANCEL, IT],
    [one_of("stop", "withdraw", "undo"), some(2), OURS],
    [*words("do"), NOT, one_of("send", "ship", "dispatch")],
    [
        *words("do"),
        NOT,
        one_of("want", "need"),
        some(2),
        one_of("order", "item", "purchase"),
        {"OP": "?"},
        one_of("anymore", "more"),
    ],
    [*words("no", "longer"), one_of("want", "need", "wish")],
    [*words("changed", "my", "mind")],
    [one_of("ordered", "bought"), some(3), *words("by"), one_of("mistake", "accident")],
    [one_of("ordered", "bought"), some(3), one_of("twice")],
]
AGAINST = [
    [CANCEL, some(4), OTHERS],
    [OTHERS, some(1), CANCEL],
    [NOT, some(1), CANCEL],
    [one_of("was", "were", "been", "has", "is", "got", "already", "you", "they", "seller"), some(2), CANCELLED],
    [
        {"LOWER": {"FUZZY1": {"IN": ["cancellation", "cancelation"]}}},
        one_of("fee", "fees", "policy", "charge", "charges", "penalty"),
    ],
    words("standing", "order"),
    words("in", "order", "to"),
]


def make_spacy(_: object) -> Judge:
    spacy, matching = importlib.import_module("spacy"), importlib.import_module("spacy.matcher")
    nlp = spacy.blank("en")
    matcher = matching.Matcher(nlp.vocab)
    matcher.add("for", FOR)
    matcher.add("against", AGAINST)
    yes, no = nlp.vocab.strings["for"], nlp.vocab.strings["against"]
    tokens = nlp.tokenizer

    def asks(text: str) -> bool:
        found = {key for key, _, _ in matcher(tokens(text))}
        return yes in found and no not in found

    return lambda texts: [asks(text) for text in texts]


def learn_model(rows: Sequence[Row]) -> bytes:
    """A trained model and its threshold, as they would be kept in a file."""
    texts, wanted = [row.text for row in rows], [row.is_request for row in rows]
    text, linear, pipeline, selection = (
        importlib.import_module(f"sklearn.{name}")
        for name in ("feature_extraction.text", "linear_model", "pipeline", "model_selection")
    )
    model = pipeline.make_pipeline(
        pipeline.make_union(
            text.TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2),
            text.TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, min_df=2),
        ),
        linear.LogisticRegression(C=20.0, class_weight="balanced", solver="liblinear"),
    )
    # The threshold is found on rows that the model at hand did not see: on its own rows it is always sure.
    unseen = selection.cross_val_predict(model, texts, wanted, cv=3, method="predict_proba")[:, 1]
    return pickle.dumps((model.fit(texts, wanted), best_threshold(unseen.tolist(), wanted)))


def make_model(packed: bytes) -> Judge:
    model, threshold = pickle.loads(packed)  # noqa: S301 - what learn_model made in this process
    return lambda texts: [bool(odds >= threshold) for odds in model.predict_proba(texts)[:, 1]]


WORD = re.compile(r"\w+")


def learn_words(rows: Sequence[Row]) -> list[str]:
    return sorted({word for row in rows for word in WORD.findall(row.text.casefold())})


def make_look_up(known: Sequence[str]) -> Judge:
    # Counting how many words are known is the cheapest use of a look-up that there is.
    find, look_up = WORD.findall, Counter(known).__getitem__
    return lambda texts: [sum(map(look_up, find(text.casefold()))) > 0 for text in texts]


def make_find(_: object) -> Judge:
    find = WORD.findall
    return lambda texts: [bool(find(text)) for text in texts]


METHODS = (
    Method("msgbot", make_msgbot),
    Method('the word "cancel"', make_keyword),
    Method(
        "rapidfuzz", make_phrases, learn_phrases, (("rapidfuzz", "rapidfuzz"),), note=f"token_set_ratio, {len(PHRASES)} phrases"
    ),
    Method("spaCy Matcher", make_spacy, packages=(("spacy", "spacy"),), note="with FUZZY1, verb and object"),
    Method("TF-IDF + LR", make_model, learn_model, (("sklearn", "scikit-learn"),), note="words and letters, logistic regression"),
    Method("limit: look up words", make_look_up, learn_words, judges=False, note="find, casefold, one dictionary look-up each"),
    Method("limit: find words", make_find, judges=False, note="a compiled regular expression"),
)


def best_threshold(scores: Sequence[float], wanted: Sequence[bool]) -> float:
    """The score from which counting as a request gives the best F1; halfway to the next lower one, so that it suits other rows."""
    ranked = sorted(zip(scores, wanted, strict=True), reverse=True)
    total, hits, best, threshold = sum(wanted), 0, -1.0, 1.0
    for place, (score, is_request) in enumerate(ranked):
        hits += is_request
        below = ranked[place + 1][0] if place + 1 < len(ranked) else 0.0
        f1 = 2 * hits / (place + 1 + total)
        if below < score and f1 > best:
            best, threshold = f1, (score + below) / 2
    return threshold


# --- the rows ---


def read_rows(file: Path) -> list[Row]:
    """The labelled messages in `file`. Raises InputError with every fault, up to MOST_FAULTS."""
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from error
    rows, faults = [], []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                rows.append(read_row(line))
            except ValueError as error:
                faults.append(f"{file}:{number}: {error}")
    if faults:
        more = [f"... and {len(faults) - MOST_FAULTS} more"] if len(faults) > MOST_FAULTS else []
        raise InputError("\n".join([*faults[:MOST_FAULTS], *more]))
    if not rows:
        raise InputError(f"{file}: no messages in it")
    return rows


def read_row(line: bytes) -> Row:
    """The row on a line. Raises ValueError that says what is wrong."""
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ValueError(f"column {error.start + 1}: not UTF-8") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"column {error.colno}: not JSON: {error.msg}") from error
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(row, dict):
        raise ValueError('expected an object with "id", "text" and "label"')
    for name in ("id", "text", "label"):
        if name not in row:
            raise ValueError(f'the field "{name}" is missing')
    for name in ("text", "source", "lang", "tier"):
        if not isinstance(row.get(name, ""), str):
            raise ValueError(f'the field "{name}" must be a string')
    if row["label"] not in ("request", "other"):
        raise ValueError('the field "label" must be "request" or "other"')
    try:
        row["text"].encode()
    except UnicodeEncodeError as error:
        raise ValueError('the field "text" holds half of a character') from error
    return Row(row["text"], row["label"] == "request", row.get("source") or "?", row.get("lang") or "?", row.get("tier") or "core")


def example_rows() -> list[Row]:
    """The example sentences of msgbot's own rules: something to be fast on when there are no labelled messages."""
    import yaml

    rows = []
    for folder in importlib.resources.files("msgbot.rules").iterdir():
        file = folder / "examples.yaml"
        if file.is_file():
            for intent, sentences in yaml.safe_load(file.read_text("utf-8")).items():
                rows += [Row(str(text), intent == "request", "examples", folder.name, "core") for text in sentences]
    return rows


def same(text: str) -> str:
    """What two texts have in common that differ in nothing but case, blanks and marks."""
    return " ".join(WORD.findall(text.casefold())) or text


def checksum(text: str) -> int:
    return zlib.crc32(text.encode())


# --- how right ---


@dataclass
class Score:
    """How often a method was right."""

    tp: int = 0
    fp: int = 0
    fn: int = 0
    tn: int = 0

    def add(self, wanted: bool, given: bool) -> None:
        self.tp += wanted and given
        self.fp += given and not wanted
        self.fn += wanted and not given
        self.tn += not (wanted or given)

    def figures(self) -> dict[str, float | int | None]:
        """The counts, and what is worked out of them; nothing where nothing can be."""
        return {
            "tp": self.tp,
            "fp": self.fp,
            "fn": self.fn,
            "tn": self.tn,
            "precision": ratio(self.tp, self.tp + self.fp),
            "recall": ratio(self.tp, self.tp + self.fn),
            "f1": self.f1,
        }

    @property
    def f1(self) -> float | None:
        # Without a request there is nothing to be found, and no F1.
        return ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn) if self.tp + self.fn else None


def ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def judged(method: Method, rows: Sequence[Row], training: Sequence[Row] | None) -> list[bool]:
    """The verdict on each row. Without `training` the rows are both: each is judged by what was learned from the other folds."""
    texts = [row.text for row in rows]
    if method.learn is None:
        return method.make(None)(texts)
    if training is not None:
        return method.make(learned(method, training))(texts)
    given = [False] * len(rows)
    # Texts that are alike fall into the same fold.
    folds = [checksum(same(text)) % FOLDS for text in texts]
    for fold in range(FOLDS):
        judge = method.make(learned(method, [row for row, place in zip(rows, folds, strict=True) if place != fold]))
        mine = [at for at, place in enumerate(folds) if place == fold]
        for at, verdict in zip(mine, judge([texts[at] for at in mine]), strict=True):
            given[at] = verdict
    return given


def learned(method: Method, rows: Sequence[Row]) -> object:
    """What the method finds in `rows`. Raises TooFewError."""
    if method.learn is None:
        return None
    requests = sum(row.is_request for row in rows)
    if method.judges and min(requests, len(rows) - requests) < LEAST_REQUESTS:
        raise TooFewError(f"needs {LEAST_REQUESTS} requests and {LEAST_REQUESTS} others to learn from")
    try:
        return method.learn(rows)
    except ValueError as error:  # no two rows have a word in common
        raise TooFewError(f"could not learn: {error}") from error


def scores_of(rows: Sequence[Row], given: Iterable[bool]) -> dict[str, Score]:
    """The score in total (under an empty name) and by source."""
    scores = {"": Score()}
    for row, verdict in zip(rows, given, strict=True):
        for name in ("", row.source):
            scores.setdefault(name, Score()).add(row.is_request, verdict)
    return scores


# --- how fast ---


class Stream(NamedTuple):
    """Messages to be fast on; no message of `warm_up` is in `fresh`."""

    warm_up: list[str]
    fresh: list[str]


def stream_of(rows: Sequence[Row]) -> Stream:
    """The texts of `rows`, joined within each language to messages of about LENGTH characters on average."""
    texts: dict[str, set[str]] = {}
    for row in rows:
        if len(row.text) <= LONGEST:
            texts.setdefault(row.language, set()).add(" ".join(row.text.split()))
    tries = [joined(texts, least) for least in range(LENGTH // 2, LENGTH + 1, 2)]
    found = min(tries, key=lambda messages: abs(mean_length(messages) - LENGTH))
    if not found:
        found = [row.text for row in rows]
    found = sorted(set(found), key=lambda text: (checksum(text), text))
    # A small file is shared out evenly: the same word met again is what a cache is for, the same message is not.
    warm = min(WARM_UP, len(found) // 2)
    return Stream(found[:warm], found[warm : warm + MOST_MEASURED])


def joined(texts: Mapping[str, Iterable[str]], least: int) -> list[str]:
    """Each text once, in messages of at least `least` characters."""
    messages = []
    for group in texts.values():
        message = ""
        for text in sorted(group, key=lambda text: (checksum(text), text)):
            message += (" " if message.endswith((".", "!", "?", "。")) else ". ") + text if message else text
            if len(message) >= least:
                messages.append(message)
                message = ""
    return messages


def mean_length(messages: Sequence[str]) -> float:
    return statistics.fmean(map(len, messages)) if messages else 0.0


@dataclass
class Speed:
    """The messages a second and seconds of loading of one method, round by round."""

    fresh: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    load: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        return {
            "fresh_per_second": statistics.median(self.fresh),
            "again_per_second": statistics.median(self.again),
            "load_seconds": statistics.median(self.load),
            "spread": self.spread,
            "rounds": {"fresh": self.fresh, "again": self.again, "load": self.load},
        }

    @property
    def spread(self) -> float:
        """How far the rounds lie apart, as a part of the median."""
        return (max(self.fresh) - min(self.fresh)) / statistics.median(self.fresh)


def measure(method: Method, memory: object, stream: Stream, seconds: float, into: Speed) -> None:
    """One round: as many passes as begin within `seconds`, each with a new object that saw nothing but the warm-up."""
    loading: list[float] = []
    fresh = again = 0.0
    until = time.perf_counter() + seconds
    while not loading or time.perf_counter() < until:
        start = clock()
        judge = method.make(memory)
        loading.append(clock() - start)
        judge(stream.warm_up)
        # What the other methods keep in memory must not be gone through when this one's garbage is collected.
        gc.collect()
        gc.freeze()
        start = clock()
        judge(stream.fresh)
        middle = clock()
        judge(stream.fresh)
        end = clock()
        gc.unfreeze()
        fresh += middle - start
        again += end - middle
    done = len(stream.fresh) * len(loading)
    into.fresh.append(done / max(fresh, 1e-9))
    into.again.append(done / max(again, 1e-9))
    into.load.append(statistics.median(loading))


# --- the report ---


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table that reads well as plain text; all columns but the first are figures."""
    widths = [max(len(line[at]) for line in (head, *lines)) for at in range(len(head))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]

    def row(cells: Sequence[str]) -> str:
        return "| " + " | ".join([cells[0].ljust(widths[0]), *map(str.rjust, cells[1:], widths[1:])]) + " |"

    return "\n".join([row(head), row(rule), *map(row, lines)])


def fraction(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def rounded(value: float) -> str:
    """Three figures and no more: the rest is noise."""
    return f"{float(f'{value:.3g}'):,.0f}"


def source_cell(score: Score) -> str:
    """F1, or where there was nothing to be found, how many were found all the same."""
    return f"{score.fp} false" if score.f1 is None else f"{score.f1:.3f}"


@dataclass
class Report:
    """What was measured, and how."""

    facts: dict[str, Any]
    scores: dict[str, dict[str, Score]] = field(default_factory=dict)
    speeds: dict[str, Speed] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def markdown(self) -> str:
        lines = []
        for method in METHODS:
            if method.name in self.speeds:
                score = self.scores.get(method.name, {}).get("")
                right = [fraction(score.figures()[name]) if score else "–" for name in ("precision", "recall", "f1")]
                speed = self.speeds[method.name].figures()
                fast = [
                    rounded(speed["fresh_per_second"]),
                    rounded(speed["again_per_second"]),
                    f"{speed['load_seconds'] * 1000:,.1f}",
                ]
                lines.append([method.name, *right, *fast])
        parts = [
            table(("method", "precision", "recall", "F1", "fresh/s", "again/s", "load, ms"), lines),
            self._by_source(),
            self._notes(),
        ]
        return "\n\n".join(filter(None, parts)) + "\n"

    def _by_source(self) -> str:
        if not self.scores:
            return ""
        first = next(iter(self.scores.values()))
        lines = [
            [name, f"{sum((score.tp, score.fp, score.fn, score.tn)):,}", f"{score.tp + score.fn:,}"]
            + [source_cell(scores[name]) for scores in self.scores.values()]
            for name, score in sorted(first.items())
            if name
        ]
        return "F1 by source:\n\n" + table(("source", "messages", "requests", *self.scores), lines)

    def _notes(self) -> str:
        facts, speed = self.facts, self.facts["speed"]
        spread = max((each.spread for each in self.speeds.values()), default=0.0)
        notes = [
            f"Right: {facts['scored']:,} messages, {facts['requests']:,} requests. {facts['training']}."
            if facts["scored"]
            else "No labelled messages were given, so how right the methods are was not measured.",
            f"Fast: {speed['messages']:,} messages of {speed['mean_length']:.0f} characters on average, {speed['with_cancel']:.1%}"
            f' with "cancel" in them; median of {speed["rounds"]} rounds; up to {spread:.0%} apart; {speed["clock"]}.',
            ", ".join([f"Python {facts['python']}", facts["machine"], *map(" ".join, facts["versions"].items())]) + ".",
            *(f"{method.name}: {method.note}." for method in METHODS if method.note and method.name in self.speeds),
            *(f"{name}: skipped: {reason}." for name, reason in self.skipped.items()),
        ]
        return "\n".join(f"- {note}" for note in notes)

    def plain(self) -> dict[str, Any]:
        """Everything as plain values."""
        methods = {
            name: {"speed": speed.figures()}
            | (
                {"total": scores[""].figures(), "sources": {source: each.figures() for source, each in scores.items() if source}}
                if scores
                else {}
            )
            for name, speed in self.speeds.items()
            for scores in [self.scores.get(name, {})]
        }
        return {**self.facts, "methods": methods, "skipped": self.skipped}


def plot(report: Report, folder: Path) -> None:
    """F1 against speed, as `detect.png` and `detect.svg`."""
    matplotlib = importlib.import_module("matplotlib")
    matplotlib.use("Agg")
    matplotlib.rcParams.update({"svg.hashsalt": "msgbot", "font.size": 11})
    plt = importlib.import_module("matplotlib.pyplot")
    figure, axes = plt.subplots(figsize=(9, 5.5), dpi=150)
    speeds = {name: statistics.median(speed.fresh) for name, speed in report.speeds.items()}
    points = {name: (speeds[name], scores[""].f1) for name, scores in report.scores.items() if scores[""].f1 is not None}
    limits = sorted((speed, name) for name, speed in speeds.items() if name not in report.scores)
    axes.set(
        xscale="log",
        xlim=(min(speeds.values()) / 3, max(speeds.values()) * 4),
        ylim=(0, 1.05),
        xlabel="messages per second, fresh messages, one core (logarithmic)",
        ylabel="F1",
        title="Finding requests to cancel an order: how right, how fast",
    )
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(alpha=0.25, which="major")
    axes.spines[["top", "right"]].set_visible(False)
    taken = []
    for place, (speed, name) in enumerate(limits):
        axes.axvline(speed, color="0.55", linestyle=(0, (4, 3)), linewidth=1.2)
        # The limits lie close together: the slower is labelled on its left, the faster on its right.
        left = place == 0 and len(limits) > 1
        at = {"xy": (speed, 0.02), "xytext": (-4 if left else 4, 0), "textcoords": "offset points", "rotation": 90, "fontsize": 9}
        taken.append(axes.annotate(name, **at, ha="right" if left else "left", va="bottom", color="0.4"))
    for name, (speed, f1) in points.items():
        ours = name == "msgbot"
        axes.scatter(
            [speed], [f1], s=110 if ours else 60, color="#c0392b" if ours else "#2c5f8a", marker="D" if ours else "o", zorder=3
        )
    figure.tight_layout()
    label(figure, axes, points, taken)
    figure.savefig(folder / "detect.png")
    figure.savefig(folder / "detect.svg", metadata={"Date": None})
    plt.close(figure)


def label(figure: Any, axes: Any, points: Mapping[str, tuple[float, float | None]], taken: Sequence[Any]) -> None:
    """Writes each point's name and F1 at the first place around it that is inside the axes and covers nothing."""
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in taken]
    dots = {name: axes.transData.transform(point) for name, point in points.items()}
    lines = [axes.transData.transform((line.get_xdata()[0], 0.0))[0] for line in axes.lines]
    places = [
        (side * 11, up, {-1: "right", 0: "center", 1: "left"}[side])
        for up in (0, 12, -12, 24, -24, 36, -36, 50, -50)
        for side in (1, -1, 0)
        if side or up
    ]
    for name in points:
        best, least = None, float("inf")
        for x, up, align in places:
            text = axes.annotate(
                f"{name} ({points[name][1]:.2f})", points[name], (x, up), textcoords="offset points", ha=align, va="center",
                fontweight="bold" if name == "msgbot" else "normal",
            )  # fmt: skip
            box = text.get_window_extent().padded(3)
            hits = sum(box.overlaps(other) for other in boxes)
            hits += sum(box.padded(8).contains(*dot) for dot in dots.values())
            hits += sum(box.x0 < line < box.x1 for line in lines)
            hits += 10 * (not (axes.bbox.contains(box.x0, box.y0) and axes.bbox.contains(box.x1, box.y1)))
            if hits < least:
                if best is not None:
                    best.remove()
                best, least = text, hits
            else:
                text.remove()
            if least == 0:
                break
        if best is not None:
            boxes.append(best.get_window_extent().padded(3))


# --- the run ---


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
