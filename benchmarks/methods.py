"""The ways to find requests that are measured beside each other."""

from __future__ import annotations

import importlib
import pickle
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rows import WORD, Row

Judge = Callable[[Sequence[str]], list[bool]]
"""Says of each text whether it asks to cancel."""


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
