"""YAML as people may write it here: no tags, no duplicate keys, no words that YAML takes for true or false, and every value knows
its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from msgbot.errors import Fault

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TRAPS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "~"])
_STANDARD = "tag:yaml.org,2002:"
Path = tuple[str | int, ...]


@dataclass(slots=True)
class Document:
    """A read file: plain `data`, and the line and column (from 1) of every value by its path."""

    file: str
    data: Any = None
    places: dict[Path, tuple[int, int]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, path: Path, text: str) -> Fault:
        """A fault at the value that `path` leads to, or at the nearest place above it that is known."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.places:
                return Fault(self.file, *self.places[path[:end]], text)
        return Fault(self.file, 0, 0, text)


def read_yaml(file: str, text: str) -> Document:
    """`text` as data; what is wrong with it stands in `faults`, all of it, and `data` holds what could be read."""
    document = Document(file)
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        document.faults.append(Fault(file, line, column, f"not valid YAML: {getattr(error, 'problem', None) or error}"))
        return document
    if root is None:
        document.faults.append(Fault(file, 0, 0, "the file is empty"))
        return document
    document.data = _value(root, (), document)
    return document


def _value(node: Any, path: Path, document: Document) -> Any:
    document.places[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, yaml.MappingNode):
        return dict(_pairs(node, path, document))
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, (*path, index), document) for index, child in enumerate(node.value)]
    return _scalar(node, path, document)


def _pairs(node: yaml.MappingNode, path: Path, document: Document) -> Iterator[tuple[str, Any]]:
    seen: set[str] = set()
    for key_node, value_node in node.value:
        key = str(key_node.value)
        if key in seen:
            document.faults.append(
                Fault(document.file, key_node.start_mark.line + 1, key_node.start_mark.column + 1, f"{key!r} stands here twice")
            )
            continue
        seen.add(key)
        yield key, _value(value_node, (*path, key), document)


def _scalar(node: Any, path: Path, document: Document) -> str | int | float | bool:
    raw = str(node.value)
    if node.style in {"'", '"', "|", ">"}:
        return raw
    tag = node.tag.rpartition(":")[2]
    if node.tag != _STANDARD + tag:
        document.faults.append(document.fault(path, f"{node.tag!r}: tags are not allowed here"))
    if tag == "int":
        return int(raw) if raw.isdecimal() else raw
    if tag == "float":
        return float(raw)
    if tag == "bool" and raw in {"true", "false"} and path and path[-1] in BOOLEAN_KEYS:
        return raw == "true"
    if raw.lower() in _TRAPS:
        document.faults.append(document.fault(path, f"YAML does not read {raw!r} as a word: put it in quotes"))
    return raw


BOOLEAN_KEYS = frozenset({"verb_final", "negation_after", "unspaced", "head_first", "negation_adjacent", "verified", "opposes"})
"""Keys whose value really is true or false."""


def texts(value: object) -> Mapping[str, Any]:
    """`value` if it is a mapping, else an empty one: lets checks go on after a fault."""
    return value if isinstance(value, dict) else {}
