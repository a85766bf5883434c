"""msgbot: answers Amazon buyers who ask a seller to cancel, and keeps the seller from cancelling informally.

    >>> from msgbot import Detector, built_in_rules
    >>> verdict = Detector(built_in_rules()).detect("Please cancel my order")
    >>> verdict.intent, verdict.rule
    (<Intent.REQUEST: 'request'>, 'asks-for-order/en')

`Detector` reads texts and is safe to share between threads; a `Verdict` says what was understood (`intent`, `score`), which
rule decided (`rule`, `says`), which words it rests on (`evidence`), and what spoke against it (`against`).
"""

from msgbot.content.rules import built_in_rules, read_rules
from msgbot.domain.detector import Detector
from msgbot.domain.verdict import Intent, Verdict

__all__ = ["Detector", "Intent", "Verdict", "built_in_rules", "read_rules"]
