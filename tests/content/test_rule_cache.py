"""The rules kept between runs: the same as those read from the files, made again when anything is wrong with the file."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from msgbot import Detector
from msgbot.content.rule_cache import RuleCache, fingerprint_of
from msgbot.content.rules import built_in_rules, read_rules
from msgbot.domain.index import index_of
from msgbot.domain.rulebook import Rulebook


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return read_rules(files("msgbot.rules"))


def test_gives_back_what_was_stored(tmp_path: Path, rulebook: Rulebook) -> None:
    stored = RuleCache("one", tmp_path).store(rulebook)
    found = RuleCache("one", tmp_path).load()
    assert found is not None
    assert found.frames == rulebook.frames
    assert found.thresholds == rulebook.thresholds
    assert found.fingerprint == rulebook.fingerprint
    assert found.roles == rulebook.roles
    assert found.index == stored.index == index_of(rulebook.languages, rulebook.frames)
    for mine, theirs in zip(found.languages, rulebook.languages, strict=True):
        assert (mine.code, mine.name, mine.words, mine.not_typos) == (theirs.code, theirs.name, theirs.words, theirs.not_typos)
        assert tuple(mine.phrases) == tuple(theirs.phrases)
        assert mine.phrases[0] == theirs.phrases[0]
        assert len(mine.phrases) == len(theirs.phrases)
        flags = "verb_final", "negation_after", "unspaced", "head_first", "negation_adjacent", "prefixes", "endings"
        assert [getattr(mine, flag) for flag in flags] == [getattr(theirs, flag) for flag in flags]
    assert Detector(found).detect("please cancel my order") == Detector(rulebook).detect("please cancel my order")


@pytest.mark.parametrize("damage", [b"", b"x", b"x" * 100])
def test_a_damaged_file_is_no_rulebook(tmp_path: Path, rulebook: Rulebook, damage: bytes) -> None:
    cache = RuleCache("one", tmp_path)
    cache.store(rulebook)
    (file,) = tmp_path.glob("rules-*.bin")
    file.write_bytes(damage)
    assert cache.load() is None


def test_one_changed_byte_is_noticed(tmp_path: Path, rulebook: Rulebook) -> None:
    cache = RuleCache("one", tmp_path)
    cache.store(rulebook)
    (file,) = tmp_path.glob("rules-*.bin")
    stored = bytearray(file.read_bytes())
    stored[len(stored) // 2] ^= 1
    file.write_bytes(stored)
    assert cache.load() is None


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path: Path, rulebook: Rulebook) -> None:
    (tmp_path / "file").write_text("no folder")
    cache = RuleCache("one", tmp_path / "file" / "cache")
    assert cache.store(rulebook).index is not None
    assert cache.load() is None


def test_old_files_go(tmp_path: Path, rulebook: Rulebook) -> None:
    for number in range(7):
        RuleCache(str(number), tmp_path).store(rulebook)
    assert len(list(tmp_path.iterdir())) == 4
    assert RuleCache("6", tmp_path).load() is not None


def test_the_fingerprint_changes_with_any_rule(tmp_path: Path) -> None:
    for name in ("common.yaml", "frames.yaml"):
        (tmp_path / name).write_text("a: 1")
    (tmp_path / "xx").mkdir()
    (tmp_path / "xx" / "words.yaml").write_text("name: X")
    before = fingerprint_of(tmp_path)
    assert fingerprint_of(tmp_path) == before
    (tmp_path / "xx" / "words.yaml").write_text("name: Y")
    assert fingerprint_of(tmp_path) != before


def test_the_built_in_rules_are_the_ones_in_the_files(rulebook: Rulebook) -> None:
    assert built_in_rules().fingerprint == rulebook.fingerprint
