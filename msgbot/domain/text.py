"""Text to words: what a buyer typed, cut into words and marks, each word folded to the form that look-ups use.

Everything here is linear in the length of the text. Folding undoes what keyboards, fonts and jokers do to letters: case, accents,
full-width and mathematical letters, invisible characters, Cyrillic and Greek look-alikes, digits in the place of letters, blanks
between letters.
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

MAX_LENGTH = 20_000
"""Text beyond this many characters is not read; the verdict says so."""
WRAPPED_FROM = 55
"""A line of at least so many characters that breaks was wrapped by a program; a shorter one was ended by a person."""
SPELLED_OUT_FROM = 4
"""So many single letters in a row are one word written apart."""

_SHORTEST_NUMBER = 6

_INVISIBLE = "\u00ad\u034f\u061c\u115f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff"
# Python's \w knows letters and digits but no combining marks, which Devanagari, Arabic and decomposed accents need inside a word.
_MARKS = "\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670\u0640\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963\u3099\u309a"
_INSIDE = f"[^\\W_]|[{_MARKS}{_INVISIBLE}]"
_TOKEN = re.compile(
    # An address is no sentence, whatever words it is made of.
    "(?P<address>(?:https?://|www\\.)\\S+)"
    # Words may hold an apostrophe (don't) and signs that stand for letters (c@ncel); a mail address comes out as one word, too.
    f"|(?P<word>[^\\W_](?:{_INSIDE})*(?:['’`´ʼ＇@$](?:{_INSIDE})+)*)"
    "|(?P<end>[.!?…。！？｡؟।]+|\\n[ \\t\\r]*\\n\\s*)"
    "|(?P<pause>[,;:¿¡、，；：､،؛()（）\\[\\]]|\\s[-–—]+\\s|[–—]|\\n)"
    '|(?P<quote>["“”„«»「」『』‚‹›*])'
)
_WORD = re.compile(f"[^\\W_](?:{_INSIDE})*(?:['’`´ʼ＇@$](?:{_INSIDE})+)*")
_ASCII_WORD = re.compile("[a-z0-9]+(?:['@$`][a-z0-9]+)*")
_TAG = re.compile(r"<(?:/?[a-zA-Z][^<>]{0,300}|!--[^<>]{0,300}--)>")
_ENTITY = re.compile(r"&(?:[a-zA-Z]{2,8}|#\d{2,7}|#[xX][0-9a-fA-F]{2,6});")
_INVISIBLE_RUN = re.compile(f"[{_INVISIBLE}\u0640]+")
_FILL = "\u200b"
_ACCENT = re.compile("[\u0300-\u036f\u064b-\u065f\u0670]+")
_STRETCHED = re.compile(r"([^\W\d_])\1\1+")
_CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff々〆]")
_KANA = re.compile("[\u3041-\u30fa]")
_APOSTROPHES = str.maketrans("’`´ʼ", "''''")
_PLAIN_LETTERS = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "æ": "ae", "œ": "oe", "đ": "d",
                                "ٱ": "ا", "ى": "ي", "ة": "ه", "ک": "ك", "ی": "ي"})  # fmt: skip
_LOOKALIKES = str.maketrans(
    "аеорсухіјѕԁһӏпкмтвгαβεζηικμνορτυχςɑɡ",
    "aeopcyxijsdhlnkmtbrabezhikmnoptuxcag",
)
_LEET = str.maketrans("013457$@", "oleastsa")
_DAY = re.compile(r"(?<!\d)\d{1,2}$")
_MIXED_SCRIPT = re.compile("[\u0370-\u03ff\u0400-\u052f\u0251\u0261]")


class Token(NamedTuple):
    """One word or mark. `start` and `end` are offsets into the original text; `form` is the folded word, `.` for the end of a
    sentence, `,` for a pause, `"` for a quotation mark."""

    start: int
    end: int
    form: str
    is_word: bool


@lru_cache(maxsize=65_536)
def fold(word: str) -> str:
    """The form of `word` that look-ups use: without case, invisible characters and fancy letters. Accents stay: they can tell words
    apart (German `wurde` was, `würde` would)."""
    if word.isascii():
        return word.casefold().replace("`", "'")
    word = unicodedata.normalize("NFKC", _INVISIBLE_RUN.sub("", word)).casefold()
    word = unicodedata.normalize("NFC", word).translate(_APOSTROPHES)
    if _MIXED_SCRIPT.search(word):
        plain = without_accents(word.translate(_LOOKALIKES))
        # A Russian or Greek word stays what it is; a Latin word in borrowed letters comes out all Latin.
        if plain.isascii():
            return plain
    return word


def without_accents(form: str) -> str:
    """The folded word `form` as a keyboard without accents writes it."""
    if form.isascii():
        return form
    return unicodedata.normalize("NFC", _ACCENT.sub("", unicodedata.normalize("NFKD", form))).translate(_PLAIN_LETTERS)


def plainly(form: str) -> str:
    """The folded word `form` without accents and apostrophes."""
    return form if form.isascii() and form.isalpha() else without_accents(form).replace("'", "")


def unstretched(form: str) -> tuple[str, ...]:
    """`form` with letters that are typed many times in a row typed twice, and once (`pleeeease`); nothing when none are."""
    if not _STRETCHED.search(form):
        return ()
    return _STRETCHED.sub(r"\1\1", form), _STRETCHED.sub(r"\1", form)


def unleet(form: str) -> str:
    """`form` with digits and signs read as the letters they stand for (`canc3l`), or `form` itself when it has no letters."""
    return form.translate(_LEET) if not form.isalpha() and any(map(str.isalpha, form)) else form


def is_number(form: str) -> bool:
    """Whether the word is a number long enough to name an order."""
    return len(form) >= _SHORTEST_NUMBER and form.isdigit()


def has_cjk(form: str) -> bool:
    """Whether `form` holds Chinese or Japanese characters, which are written without blanks between words."""
    return _CJK.search(form) is not None


def has_kana(form: str) -> bool:
    """Whether `form` holds hiragana or katakana."""
    return _KANA.search(form) is not None


def plain_markup(text: str) -> str:
    """`text` with HTML tags blanked out and entities decoded, same length, so that offsets stay true."""
    if "<" in text:
        text = _TAG.sub(lambda tag: " " * len(tag.group()), text)
    return _ENTITY.sub(_decoded, text) if "&" in text else text


def _decoded(entity: re.Match[str]) -> str:
    """The character that the entity stands for, filled up with invisible ones, which folding drops again."""
    return html.unescape(entity.group())[: len(entity.group())].ljust(len(entity.group()), _FILL)


def words_of(text: str) -> list[str]:
    """The words of `text` without regard to case, as `tokens_of` finds them but for letters written apart; not yet folded."""
    return _ASCII_WORD.findall(text.lower()) if text.isascii() else _WORD.findall(text.casefold())


def tokens_of(text: str) -> list[Token]:
    """The words and marks of `text`, in order. Letters written apart (`c a n c e l`) come out as one word."""
    return list(map(Token._make, scan(text)))


def scan(text: str) -> list[tuple[int, int, str, bool]]:
    """What `tokens_of` finds, as plain tuples: made so often that it matters."""
    text = plain_markup(text)
    found: list[tuple[int, int, str, bool]] = []
    add = found.append
    lowered = text.lower().replace("`", "'") if text.isascii() else ""
    line_start = letters = 0
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        kind = match.lastgroup
        if kind == "word":
            if _is_code(text, start, end):
                continue
            if end - start == 1:
                letters += 1
            add((start, end, lowered[start:end] if lowered else fold(match.group()), True))
        elif kind == "quote":
            add((start, end, '"', False))
        elif kind == "end":
            if not _inside_a_word(text, start, end):
                add((start, end, ".", False))
        elif match.group() == "\n":
            is_wrapped = start - line_start >= WRAPPED_FROM
            line_start = end
            if not is_wrapped:
                add((start, end, "." if text[end : end + 1].isupper() else ",", False))
        elif kind == "pause":
            add((start, end, ",", False))
    return _join_letters(found, text) if letters >= SPELLED_OUT_FROM else found


def _is_code(text: str, start: int, end: int) -> bool:
    """Whether the word is a piece of a program (`cancel()`, `order_id`) and says nothing."""
    following = text[end : end + 2]
    if following == "()" or (following[:1] == "_" and following[1:].isalnum()):
        return True
    return text[start - 1 : start] == "_" and text[start - 2 : start - 1].isalnum()


def _inside_a_word(text: str, start: int, end: int) -> bool:
    """Whether the full stop ends nothing because it stands inside a number or an abbreviation; `sent.Please` is no such case."""
    before, after = text[start - 1 : start], text[end : end + 1]
    if (
        _DAY.search(text, max(0, start - 3), start)
        and after == " "
        and (text[end + 1 : end + 2].islower() or text[end + 1 : end + 2].isdigit())
    ):
        return True  # "am 24. Mai" ends no sentence, "2. Please cancel" does
    return text[start:end] == "." and before.isalnum() and after.isalnum() and not (before.islower() and after.isupper())


def _join_letters(tokens: list[tuple[int, int, str, bool]], text: str) -> list[tuple[int, int, str, bool]]:
    """Runs of single letters, one character apart, become one word: `c a n c e l`, `c.a.n.c.e.l`, `c-a-n-c-e-l`."""
    joined: list[tuple[int, int, str, bool]] = []
    run: list[tuple[int, int, str, bool]] = []

    def close() -> None:
        if len(run) >= SPELLED_OUT_FROM:
            joined.append((run[0][0], run[-1][1], "".join([form for _, _, form, _ in run]), True))
        else:
            joined.extend(run)
        run.clear()

    for token in tokens:
        start, end, form, is_word = token
        is_letter = is_word and len(form) == 1 and form.isalpha() and not has_cjk(form)
        if is_letter and run and start - run[-1][1] > 1:
            close()
        if is_letter:
            run.append(token)
        elif not (run and start == run[-1][1] and text[start:end] in {".", ",", "*"}):
            close()
            joined.append(token)
    close()
    return joined
