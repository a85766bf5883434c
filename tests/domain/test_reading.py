"""From sentences to acts: what a clause is about, what it is done to, and how it is said."""

from __future__ import annotations

import pytest

from msgbot.content.rules import built_in_rules
from msgbot.domain.index import index_of
from msgbot.domain.lexicon import Lexicon
from msgbot.domain.reading import Act, read
from msgbot.domain.rulebook import ACTS, FEATURES, OBJECTS
from msgbot.domain.sentences import SentenceReader

RULES = built_in_rules()
READER = SentenceReader(Lexicon(RULES.languages, RULES.index or index_of(RULES.languages, RULES.frames)))


def acts(text: str) -> list[Act]:
    return read(READER.sentences(text), text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Cancel my order", [("cancel", "order")]),
        ("Cancel it", [("cancel", "pronoun")]),
        ("Cancel", [("cancel", "none")]),
        ("Cancel the item", [("cancel", "item")]),
        ("Cancel my gym membership", [("cancel", "other")]),
        ("Cancel the frobnicator", [("cancel", "unknown")]),
        ("Cancel my subscription order", [("cancel", "order")]),  # of several nouns the last counts
        ("Cancel the order for my insurance", [("cancel", "order")]),  # what hangs on it does not
        ("Cancel in my account", [("cancel", "none")]),
        ("My order was cancelled", [("cancelled", "order")]),
        ("Withdraw my cancellation", [("halt", "cancellation")]),  # one act, not two
        ("Don't send it", [("unsend", "pronoun")]),
        ("Stop sending it", [("unsend", "pronoun")]),
        ("Remove the cups and the plates from my order", [("halt", "item")]),
        ("Where is my order?", []),
    ],
)
def test_act_and_object(text: str, found: list[tuple[str, str]]) -> None:
    assert [(act.kind, act.object) for act in acts(text)] == found


@pytest.mark.parametrize(
    ("text", "true", "false"),
    [
        ("Please cancel it", {"asked", "please", "command"}, {"negated"}),
        ("Don't cancel it", {"negated"}, {"cannot"}),
        ("I can't cancel it", {"cannot"}, {"negated"}),
        ("Why can't I cancel it", {"cannot", "why"}, {"negated"}),
        ("It won't let me cancel", {"cannot"}, {"negated"}),
        ("I don't need this I want to cancel it", set(), {"negated"}),  # a new sentence begins without a mark
        ("If you can't swap it just cancel it", {"conditional"}, {"negated", "cannot"}),  # the negation is the condition's
        ("It was cancelled", {"reported"}, set()),
        ("Did you cancel it?", {"reported", "question"}, set()),
        ("I want it cancelled", {"asked"}, {"reported"}),
        ("I asked you to cancel it", {"asked-before", "earlier"}, {"you"}),
        ("They cancel orders", {"they"}, set()),
        ("You can cancel your order", {"your"}, set()),
        ("If I cancel it", {"hypothetical"}, {"conditional"}),
        ("If it is late cancel it", {"conditional"}, {"hypothetical"}),
        ("Send it today, otherwise cancel it", {"conditional"}, set()),
        ("Cancel it if it hasn't shipped yet", {"unsent", "conditional"}, set()),
        ("Is there a cancellation fee?", {"compound"}, set()),
        ("Where is the cancel button?", {"button", "how"}, set()),
        ("Translate cancel my order", {"mention"}, set()),
        ("Don't ship before Monday", {"limited"}, set()),
        ("Thinking of cancelling it", {"maybe"}, set()),
        ("It arrived. Cancel it", {"received"}, set()),
        ("It never arrived. Cancel it", set(), {"received"}),
        ("I have a subscription. Cancel it", {"in-other-talk"}, {"in-order-talk"}),
        ("I have a subscription and an order. Cancel it", {"in-order-talk"}, {"in-other-talk"}),
        ("Cancellation of order 12345", {"bare"}, set()),
        ("Before I buy this, can I cancel it?", {"prospect"}, set()),
        ("You asked me to cancel it", {"they"}, set()),
        ("I don't think you need to cancel it", {"negated"}, set()),
    ],
)
def test_features(text: str, true: set[str], false: set[str]) -> None:
    features = acts(text)[-1].features
    assert features >= true
    assert not features & false


def test_acts_use_only_names_that_frames_may_use() -> None:
    found = acts("I asked to cancel my order if it is late. Please don't send it, refund me. It was cancelled. Ignore my message.")
    assert {act.kind for act in found} <= set(ACTS)
    assert {act.object for act in found} <= set(OBJECTS)
    assert set().union(*(act.features for act in found)) <= set(FEATURES)


def test_nodes_are_in_order_and_hold_the_object() -> None:
    (act,) = acts("please cancel my order")
    assert [node.form for node in act.nodes] == ["please", "cancel", "order"]
