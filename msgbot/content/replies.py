"""Reads `replies/`: what the bot says, in every language. Every template is checked when it is read and every text again when
it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from jinja2 import StrictUndefined, TemplateError, meta
from jinja2 import Template as CompiledTemplate
from jinja2.sandbox import SandboxedEnvironment
from pydantic import BaseModel, ConfigDict, ValidationError

from msgbot.content.yamlfile import Document, read_yaml
from msgbot.domain.policy import INSTRUCTIONS, SendingMode, Template
from msgbot.domain.reply import Facts, outbound_faults
from msgbot.errors import ContentError, Fault

ENGLISH = "en"
_FACT_NAMES = frozenset(field.name for field in fields(Facts))
_SAMPLE_ORDERS = ("114-0000001-0000001", "114-0000002-0000002")


class _ReplyFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    path: str
    verified: bool
    joiner: str
    templates: dict[Template, str]


@dataclass(frozen=True, slots=True)
class _Language:
    path: str
    verified: bool
    joiner: str
    templates: Mapping[Template, CompiledTemplate]


@dataclass(frozen=True, slots=True)
class Wording:
    """A text made from a template: the language it is in, which is English when the wanted one has no replies."""

    language: str
    text: str


class Replies:
    """All reply texts. Built by `read_replies`."""

    def __init__(self, languages: Mapping[str, _Language]) -> None:
        self._languages = languages

    @property
    def languages(self) -> tuple[str, ...]:
        """The language codes there are replies for."""
        return tuple(self._languages)

    @property
    def paths(self) -> frozenset[str]:
        """The way to the formal request in every language."""
        return frozenset(language.path for language in self._languages.values())

    def choose(self, *wanted: str) -> str:
        """The first of the wanted language codes that there are replies for; English if none is (`pt-BR` finds `pt`)."""
        for code in wanted:
            short = code.lower().replace("_", "-").partition("-")[0]
            if short in self._languages:
                return short
        return ENGLISH

    def mode(self, language: str) -> SendingMode:
        """How a language may be used: unverified wording is suggested, never sent by itself (domain.md section 8)."""
        return SendingMode.SEND if self._languages[language].verified else SendingMode.SUGGEST

    def word(self, template: Template, language: str, order_ids: tuple[str, ...], store: str) -> Wording:
        """The text of `template` in `language`. Raises ContentError when it came out against Amazon's outbound rules, which the
        checks at load make unlikely: then the store's name is at fault."""
        chosen = self._languages[language]
        text = render(chosen.templates[template], facts_for(chosen, self._languages[ENGLISH].path, order_ids, store))
        if faults := outbound_faults(text):
            raise ContentError([Fault(f"replies/{language}.yaml", 0, 0, f"{template.value}: {fault}") for fault in faults])
        return Wording(language, text)


def facts_for(language: _Language, english_path: str, order_ids: tuple[str, ...], store: str) -> Facts:
    """The facts a template may use; the English path stands beside a wording that nobody has verified."""
    return Facts(language.joiner.join(order_ids), language.path, "" if language.verified else english_path, store)


def render(template: CompiledTemplate, facts: Facts) -> str:
    """The text, trimmed, with one empty line at most between paragraphs."""
    lines = [line.rstrip() for line in template.render(asdict(facts)).strip().split("\n")]
    kept = [line for index, line in enumerate(lines) if line or lines[index - 1]]
    return "\n".join(kept) + "\n"


@lru_cache(maxsize=1)
def built_in_replies() -> Replies:
    """The replies that ship with msgbot. Raises ContentError."""
    return read_replies(files("msgbot.replies"))


def read_replies(folder: Traversable | Path) -> Replies:
    """The replies in `folder`. Raises ContentError with every fault."""
    faults: list[Fault] = []
    documents: dict[str, Document] = {}
    for file in sorted((entry for entry in folder.iterdir() if entry.name.endswith(".yaml")), key=lambda entry: entry.name):
        document = _document(file, faults)
        if document is not None:
            documents[file.name.removesuffix(".yaml")] = document
    if ENGLISH not in documents:
        faults.append(Fault(str(folder), 0, 0, "en.yaml is missing or faulty; English is what every other language falls back to"))
        raise ContentError(faults)
    english_path = documents[ENGLISH].data["path"]
    languages = {code: _language(document, english_path, faults) for code, document in documents.items()}
    if faults:
        raise ContentError(faults)
    return Replies({code: languages[code] for code in sorted(languages, key=lambda code: (code != ENGLISH, code))})


def _document(file: Traversable, faults: list[Fault]) -> Document | None:
    name = str(file) if isinstance(file, Path) else file.name
    try:
        document = read_yaml(name, file.read_text("utf-8"))
    except UnicodeDecodeError:
        faults.append(Fault(name, 0, 0, "not UTF-8"))
        return None
    before = len(faults)
    faults += document.faults
    try:
        _ReplyFile.model_validate(document.data)
    except ValidationError as error:
        for problem in error.errors():
            path = tuple(part for part in problem["loc"] if part != "[key]")
            faults.append(document.fault(path, f"{'.'.join(map(str, path)) or 'file'}: {problem['msg']}"))
    return document if len(faults) == before else None


def _language(document: Document, english_path: str, faults: list[Fault]) -> _Language:
    data = document.data
    environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
    templates: dict[Template, CompiledTemplate] = {}
    language = _Language(data["path"], data["verified"], data["joiner"], templates)
    for template in Template:
        place = ("templates", template.value)
        source = data["templates"].get(template.value)
        if source is None:
            faults.append(document.fault(("templates",), f"the template {template.value!r} is missing"))
            continue
        try:
            tree = environment.parse(source)
            unknown = sorted(meta.find_undeclared_variables(tree) - _FACT_NAMES)
            if unknown:
                faults.append(
                    document.fault(place, f"{template.value} uses {unknown[0]!r}; there are only {', '.join(sorted(_FACT_NAMES))}")
                )
                continue
            templates[template] = environment.from_string(source)
            text = render(templates[template], facts_for(language, english_path, _SAMPLE_ORDERS, "Sample Store"))
        except TemplateError as error:
            line = document.fault(place, "").line + (getattr(error, "lineno", None) or 0)
            faults.append(Fault(document.file, line, 0, f"{template.value}: {error}"))
            continue
        faults += [
            document.fault(place, f"{template.value}: {fault}")
            for fault in (*outbound_faults(text), *_missing(template, text, language, english_path))
        ]
    return language


def _missing(template: Template, text: str, language: _Language, english_path: str) -> list[str]:
    """What an answer must say and `text` does not: the order, and in an instruction the path."""
    missing = []
    if template is not Template.UNKNOWN_ORDER and not all(order in text for order in _SAMPLE_ORDERS):
        missing.append("it does not name the order: use {{ order }}")
    if template in INSTRUCTIONS:
        if language.path not in text:
            missing.append("it does not give the path: use {{ path }}")
        if not language.verified and english_path not in text:
            missing.append("the path is not verified, so the English one must stand beside it: use {{ path_english }}")
    return missing
