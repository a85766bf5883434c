"""HTML mail to plain text. A buyer's HTML is only ever read for its words, never shown as HTML.

Reads tags one after the other and builds no tree, because a stranger may write this HTML: a tree builder (selectolax 1.0) was
measured at 289 s for one tag with many attributes, 37 s for nested tags, and 4 GB of memory for 50 KB of unclosed ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

MAX_ATTRIBUTES = 2_000
"""Characters of a tag that are looked at."""

# A tag may hold ">" in a quoted value. No alternative can fail late, so the whole is linear.
_MARKUP = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(?P<closing>/?)(?P<name>[a-zA-Z][^\s/>]*)(?P<attributes>(?:=\s*\"[^\"]*\"|=\s*'[^']*'|[^>])*+)(?:>|\Z)"
    r"|<[!?/][^>]*(?:>|\Z)",
    re.DOTALL,
)
_NO_CHARACTER = re.compile(r"&#(?:\d{8,}|[xX][0-9a-fA-F]{7,});?")
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_QUOTES_MAIL = re.compile(r"type\s*=\s*[\"']?cite|class\s*=\s*[\"']?[^\"'>]*quote", re.IGNORECASE)
_BLANKS = re.compile(r"\s+")

_UNREAD = frozenset({"script", "style", "title"})
_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
# Tags that stand on lines of their own, and of these the ones with a blank line around them.
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "div", "dl", "dt", "fieldset",
    "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "li", "main", "nav", "ol", "p", "pre",
    "section", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
})  # fmt: skip
_PARAGRAPHS = frozenset({"blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "p", "pre", "table", "ul", "ol"})


@dataclass(frozen=True, slots=True)
class Hypertext:
    """The words of an HTML text. Block elements and `<br>` end a line, `<pre>` keeps its own lines, quoted mail has `>` before it.

    `preformatted` is the text of the only `<pre>` that has words, else empty: Amazon's mail has the buyer's words there
    (domain.md section 6).
    """

    text: str
    preformatted: str


def read_html(html: str) -> Hypertext:
    """The words of `html`, without scripts, styles, comments and what is not displayed. Linear in its length."""
    page = _Page()
    never_closed: set[str] = set()
    hidden, hidden_depth = "", 0
    position = 0
    while found := _MARKUP.search(html, position):
        if not hidden:
            page.write(_plain(html[position : found.start()]))
        position = found.end()
        name = (found["name"] or "").lower()
        attributes = (found["attributes"] or "")[:MAX_ATTRIBUTES]
        closing = bool(found["closing"])
        if name in _UNREAD and not closing and name not in never_closed:
            end = re.compile(f"</{name}", re.IGNORECASE).search(html, position)
            if end is None:
                never_closed.add(name)
            else:
                position = end.start()
        elif hidden:
            if name == hidden:
                hidden_depth += -1 if closing else 1
                hidden = hidden if hidden_depth else ""
        elif name and not closing and name not in _VOID and _HIDDEN.search(attributes):
            hidden, hidden_depth = name, 1
        elif name:
            page.tag(name, attributes, closing=closing)
    if not hidden:
        page.write(_plain(html[position:]))
    return page.finish()


def _plain(text: str) -> str:
    # unescape() raises on numbers with thousands of digits
    return unescape(_NO_CHARACTER.sub("\ufffd", text)) if "&" in text else text


class _Page:
    """Lines as they are being set. Blanks collapse outside `<pre>`; blank lines never stand in a row."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self._blockquotes: list[bool] = []
        self._quotes = 0
        self._pres = 0
        self._pre_start = 0
        self._pre_blocks: list[str] = []

    def write(self, text: str) -> None:
        if self._pres:
            first, *others = text.replace("\r\n", "\n").split("\n")
            self._line.append(first)
            for other in others:
                self._end_line()
                self._line.append(other)
        else:
            text = _BLANKS.sub(" ", text)
            if not self._line or self._line[-1].endswith(" "):
                text = text.lstrip()
            if text:
                self._line.append(text)

    def tag(self, name: str, attributes: str, *, closing: bool) -> None:
        if name == "br":
            self._end_line()
        if name in _BLOCKS:
            if any(piece.strip() for piece in self._line):
                self._end_line()
            self._line = []
        if name in _PARAGRAPHS:
            self._end_line()
        if name == "blockquote":
            self._blockquote(attributes, closing)
        elif name == "pre":
            self._pre(closing)

    def _end_line(self) -> None:
        line = "".join(self._line).rstrip()
        self._line = []
        if line or (self._lines and self._lines[-1]):
            self._lines.append(f"> {line}" if line and self._quotes else line)

    def _blockquote(self, attributes: str, closing: bool) -> None:
        if not closing:
            self._blockquotes.append(_QUOTES_MAIL.search(attributes) is not None)
            self._quotes += self._blockquotes[-1]
        elif self._blockquotes:
            self._quotes -= self._blockquotes.pop()

    def _pre(self, closing: bool) -> None:
        if not closing:
            if not self._pres:
                self._pre_start = len(self._lines)
            self._pres += 1
        elif self._pres:
            self._pres -= 1
            if not self._pres:
                self._pre_blocks.append("\n".join(self._lines[self._pre_start :]).strip())

    def finish(self) -> Hypertext:
        self._end_line()
        if self._pres:
            self._pre_blocks.append("\n".join(self._lines[self._pre_start :]).strip())
        blocks = [block for block in self._pre_blocks if block]
        return Hypertext("\n".join(self._lines).strip(), blocks[0] if len(blocks) == 1 else "")
