"""The frame that Amazon puts around a buyer's words, and how to take it off (domain.md section 6). Text in, values out.

What Amazon writes is not documented and changes: all of it that matters stands in the tables here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from msgbot.domain.message import ORDER_ID, order_ids_in
from msgbot.domain.quotes import strip_quotes

LABELS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    # language, labels above the buyer's words, labels below; the plain "Message" comes with any language's label below
    ("en", ("Begin message", "Message"), ("End message",)),
    ("de", ("Anfang der Nachricht", "Nachricht"), ("Ende der Nachricht",)),
    ("fr", ("Début du message", "Message"), ("Fin du message",)),
    ("it", ("Inizio messaggio", "Messaggio"), ("Fine messaggio",)),
    ("es", ("Iniciar mensaje", "Mensaje"), ("Finalizar mensaje",)),
    ("pt", ("Mensagem", "Iniciar mensagem"), ("Encerrar mensagem", "Mensagem final", "Fim da mensagem")),
    ("ja", ("メッセージはここから", "メッセージ"), ("メッセージはここまで",)),
    # not seen, but what these would be called:
    ("nl", ("Begin bericht", "Bericht"), ("Einde bericht",)),
    ("pl", ("Początek wiadomości", "Wiadomość"), ("Koniec wiadomości",)),
    ("sv", ("Början av meddelandet", "Meddelande"), ("Slut på meddelandet",)),
    ("tr", ("Mesaj başlangıcı", "Mesaj"), ("Mesaj sonu",)),
)

INTROS: tuple[str, ...] = (
    # how a line of the frame above the buyer's words begins, in small letters
    "you have received a message",
    "here is a copy of the e-mail that you sent",
    "this is a copy of the e-mail that you sent",
    "sie haben eine nachricht",
    "vous avez reçu un message",
    "hai ricevuto un messaggio",
    "ha recibido un mensaje",
    "has recibido un mensaje",
    "você recebeu uma mensagem",
    "aqui está uma cópia do e-mail que você enviou",
    "メッセージを受信しました",
    "je hebt een bericht ontvangen",
    "u hebt een bericht ontvangen",
    "masz nową wiadomość",
    "du har fått ett meddelande",
    "bir mesaj aldınız",
)

ORDER_WORDS: tuple[str, ...] = (
    # all that stands beside the order id in its line of the frame, in small letters
    "",
    "order",
    "order id",
    "order id/commande n°",
    "bestellung",
    "bestellnummer",
    "commande",
    "commande n°",
    "ordine",
    "numero ordine",
    "pedido",
    "número de pedido",
    "pedido nº",
    "注文",
    "注文番号",
    "bestelling",
    "bestelnummer",
)

FOOTERS: tuple[str, ...] = (
    # how a line of the frame below the buyer's words begins
    "[commMgrTok:",
    "SPC-USAmazon",
    "SPC-EUAmazon",
    "SPC-JPAmazon",
    "For Your Information:",
    "Important : Afin d'aider",
    "Was this email helpful",
    "War diese E-Mail hilfreich",
    "Cet e-mail vous a-t-il été utile",
    "Questa e-mail ti è stata utile",
    "¿Te pareció útil",
    "¿Te ha resultado útil",
    "Este e-mail foi útil",
    "このEメールは役に立ちましたか",
    "Solve case",
    "Resolver caso",
    "Solucionar o caso",
    "Report questionable activity",
    "Informar de actividad sospechosa",
    "Denunciar atividade questionável",
    "If you believe this message is suspicious",
    "Si vous trouvez ce message suspicieux",
    "To mark this message as no response needed",
    "Pour indiquer que ce message ne requiert aucune réponse",
    "Copyright 20",
    "Copyright ©",
    "© 20",
    "Derechos de autor",
    "Direitos autorais",
)


@dataclass(frozen=True, slots=True)
class Item:
    """A product that the frame names."""

    asin: str
    title: str


@dataclass(frozen=True, slots=True)
class Framed:
    """What stood in the frame: the writer's words, and what the frame itself names. Without one, `words` is the text as it came.

    `labelled` tells that the words stood between Amazon's labels, and so are surely all of them.
    """

    words: str
    order_ids: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()
    labelled: bool = False


def _label(written: str) -> str:
    """A label as a pattern: any blanks between words, and letters beyond ASCII also as broken charsets show them."""
    latin = r"\S{1,6}"
    letters = (re.escape(letter) if letter.isascii() or ord(letter) > 0x2FF else latin for letter in written)
    return "".join(letters).replace(r"\ ", r"[ \t\xa0\u3000]+")


def _either(labels: list[str]) -> str:
    """Any of the labels, or several of them with slashes between: the bilingual frame of Canada and Belgium."""
    one = "(?:" + "|".join(_label(label) for label in sorted(set(labels), key=len, reverse=True)) + ")"
    return rf"{one}(?:[ \t]*[/／][ \t]*{one}){{0,3}}"


_BEGIN = _either([label for _, begins, _ in LABELS for label in begins])
_END = _either([label for _, _, ends in LABELS for label in ends])
_DASH = "[-‐‑‒–—―−－─━]"
_DASHES = f"(?<!{_DASH}){_DASH}{{3,}}+"  # looked at from its first dash on only, or a long rule costs its square
_EDGE = re.compile(  # a quoted line is matched so that no label is seen in it
    rf"^[ \t]*[>＞][^\n]*|{_DASHES}[ \t]*+(?:(?P<begin>{_BEGIN})|(?P<end>{_END}))[ \t]*+[:：]?+[ \t]*+(?:{_DASH}{{2,}}+|$)",
    re.IGNORECASE | re.MULTILINE,
)
_FOOTER = re.compile(
    r"^[ \t]*(?:" + "|".join(re.escape(footer) for footer in FOOTERS) + r")|\[commMgrTok:|https?://\S{0,200}?/no-response-needed",
    re.IGNORECASE | re.MULTILINE,
)
_ASIN = re.compile(r"\[ASIN:[ \t]*([A-Z0-9]{10})[ \t]*\]", re.IGNORECASE)
_COUNT = re.compile(r"^\d+[ \t]*(?:/|of/sur|of|von|x)[ \t]+", re.IGNORECASE)
_ONLY_BEGIN = re.compile(rf"(?:{_BEGIN})[ \t]*[:：]", re.IGNORECASE)
_RULE = re.compile(rf"(?:{_DASH}|[_=\s])*+")


def read_words(text: str, preformatted: str = "") -> Framed:
    """The writer's own words in a mail's `text`: out of the frame, and without quoted history.

    History goes first: a frame in it belongs to an older mail. `preformatted` is the only `<pre>` of an HTML mail, which is
    Amazon's place for the words where the frame has no labels.
    """
    framed = unframe(strip_quotes(text))
    if not framed.words.strip():
        framed = unframe(text)
    words = preformatted if preformatted and not framed.labelled else framed.words
    own = strip_quotes(words)
    return framed if own == framed.words else replace(framed, words=own)


def unframe(text: str) -> Framed:
    """The writer's words out of Amazon's frame: between the labels, or, where it has none, between its intro and its footer."""
    edges = [found for found in _EDGE.finditer(text) if found.lastgroup]
    begin = next((edge for edge in edges if edge.lastgroup == "begin"), None)
    if begin is None:
        return _without_labels(text)
    inner = [edge for edge in edges if edge.start() > begin.start()]
    end = _closing(inner)
    if end is not None:
        stop, below = end.start(), text[end.end() :]
    else:
        footer = _FOOTER.search(text, begin.end())
        stop = footer.start() if footer else len(text)
        below = text[stop:]
    words = text[begin.end() : stop]
    # A frame in the frame is an older mail that the writer's program quoted below the answer.
    older = next((edge.start() for edge in inner if edge.lastgroup == "begin" and edge.start() < stop), stop)
    if text[begin.end() : older].strip():
        words = text[begin.end() : older]
    return _framed(words, text[: begin.start()] + "\n" + below, labelled=True)


def _closing(edges: list[re.Match[str]]) -> re.Match[str] | None:
    """The label that closes the first frame; where labels are missing and they don't pair, the last closing one."""
    depth = 1
    last = None
    for edge in edges:
        depth += 1 if edge.lastgroup == "begin" else -1
        if edge.lastgroup == "end":
            last = edge
            if not depth:
                break
    return last


def _without_labels(text: str) -> Framed:
    footer = _FOOTER.search(text)
    body, below = (text[: footer.start()], text[footer.start() :]) if footer else (text, "")
    lines = body.split("\n")
    top = 0
    for index, line in enumerate(lines):
        if _is_intro(line.strip()):
            top = index + 1
        elif line.strip():
            break
    if not top and footer is None:
        return Framed(text)
    return _framed("\n".join(lines[top:]), "\n".join(lines[:top]) + "\n" + below, labelled=False)


def _is_intro(line: str) -> bool:
    if not line or len(line) > 1_000:
        return False
    if line.lower().startswith(INTROS) or _ASIN.search(line) or _ONLY_BEGIN.fullmatch(line):
        return True
    rest, found = ORDER_ID.subn("", line)
    return found == 1 and rest.strip(" #:：.").lower() in ORDER_WORDS


def _framed(words: str, around: str, *, labelled: bool) -> Framed:
    lines = words.strip().split("\n")
    while lines and _RULE.fullmatch(lines[-1]):
        lines.pop()
    return Framed("\n".join(lines), order_ids_in(around), _items(around), labelled)


def _items(around: str) -> tuple[Item, ...]:
    items = []
    for line in around.split("\n"):
        if found := _ASIN.search(line):
            items.append(Item(found[1].upper(), _COUNT.sub("", line[: found.start()].strip())))
    return tuple(items)
