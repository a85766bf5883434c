"""The rules, ready for the detector. Reading the files takes a second or more, so what was read is kept for the next time."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from msgbot.content.rule_cache import RuleCache, fingerprint_of
from msgbot.domain.rulebook import Rulebook


@lru_cache(maxsize=1)
def built_in_rules() -> Rulebook:
    """The rules that ship with msgbot. Raises ContentError."""
    folder = files("msgbot.rules")
    cache = RuleCache(fingerprint_of(folder))
    return cache.load() or cache.store(read_rules(folder))


def read_rules(folder: Traversable | Path) -> Rulebook:
    """The rulebook in `folder`. Raises ContentError with every fault."""
    # Loaded here, as a process that finds the rules in the cache needs none of it.
    from msgbot.content.rule_files import read_rule_files

    return read_rule_files(folder)
