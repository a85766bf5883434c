"""The writer's own words in a mail: without quoted history, signature and the line a phone adds.

Quoted history must go before detection, or our own instruction in it ("Request cancellation") makes the bot answer itself
(domain.md section 6). One pass over the lines; the work is linear in the text, whatever it holds.
"""

from __future__ import annotations

import re
from itertools import accumulate

ORIGINALS: frozenset[str] = frozenset(
    {
        # what stands between dashes above a quoted mail, in small letters
        "original message",
        "original",
        "forwarded message",
        "ursprüngliche nachricht",
        "originalnachricht",
        "weitergeleitete nachricht",
        "message d'origine",
        "message d’origine",
        "message original",
        "message transféré",
        "mensaje original",
        "mensaje reenviado",
        "messaggio originale",
        "messaggio inoltrato",
        "oorspronkelijk bericht",
        "doorgestuurd bericht",
        "mensagem original",
        "mensagem encaminhada",
        "wiadomość oryginalna",
        "oryginalna wiadomość",
        "ursprungligt meddelande",
        "originalmeddelande",
        "orijinal mesaj",
        "özgün ileti",
        "元のメッセージ",
        "転送されたメッセージ",
        "原始邮件",
        "原邮件",
        "原始郵件",
        "转发邮件",
        "الرسالة الأصلية",
        "मूल संदेश",
    }
)

ATTRIBUTION_VERBS: tuple[str, ...] = (
    # what the line above a quoted mail says, in small letters; it ends with a colon
    "wrote",
    "schrieb",
    "a écrit",
    "escribió",
    "ha scritto",
    "schreef",
    "escreveu",
    "skrev",
    "napisał",
    "pisze",
    "yazdı",
    "のメール",
    "のメッセージ",
    "書きました",
    "写道",
    "寫道",
    "كتب",
    "ने लिखा",
)

ATTRIBUTION_STARTS: tuple[str, ...] = ("on ", "am ", "le ", "el ", "il ", "op ", "em ", "den ", "w dniu ")
"""How that line begins where it may be wrapped over several, in small letters."""

HEADER_WORDS: dict[str, tuple[str, ...]] = {
    # the names in a quoted header block, in small letters
    "from": ("from", "von", "de", "da", "van", "från", "od", "kimden", "gönderen", "差出人", "发件人", "寄件者", "من"),
    "sent": (
        "sent", "date", "gesendet", "datum", "envoyé", "envoyé le", "date d'envoi", "enviado", "enviado el", "enviada em", "fecha",
        "data", "inviato", "verzonden", "skickat", "wysłano", "gönderilen", "gönderme tarihi", "tarih", "送信日時", "日付",
        "发送时间", "日期",
    ),
    "to": ("to", "an", "à", "para", "a", "aan", "till", "do", "kime", "宛先", "收件人", "إلى"),
    "subject": (
        "subject", "betreff", "objet", "asunto", "oggetto", "onderwerp", "assunto", "ämne", "temat", "konu", "件名", "主题",
    ),
}  # fmt: skip

DEVICE_STARTS: tuple[str, ...] = (
    # how the line that a phone or mail program adds begins, in small letters
    "sent from ",
    "get outlook for ",
    "von meinem ",
    "gesendet von ",
    "gesendet mit ",
    "outlook für ",
    "envoyé de mon ",
    "envoyé depuis ",
    "enviado desde ",
    "enviado do meu ",
    "inviato da ",
    "inviato dal mio ",
    "verzonden vanaf ",
    "verstuurd vanaf ",
    "skickat från ",
    "wysłane z ",
    "iphoneから送信",
    "androidから送信",
    "发自我的",
)

DEVICES: tuple[str, ...] = (
    # and what else must stand in it
    "iphone",
    "ipad",
    "android",
    "samsung",
    "galaxy",
    "huawei",
    "xiaomi",
    "outlook",
    "mail",
    "smartphone",
    "mobile",
    "móvil",
    "telefon",
    "handy",
    "tablet",
)

_DASHES = "-–—―－_* \t"
_LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_BLANKED = re.compile(r"[^\n]")
_LONGEST_ATTRIBUTION = 400
_LONGEST_DEVICE_LINE = 60
_BLOCK = 8
_ROLES = {word: role for role, words in HEADER_WORDS.items() for word in words}
_DATED = re.compile(r"\d{1,2}[:.hH時时点點]\s?\d\d|(?<![\d-])(?:19|20)\d\d(?!\d)")
_HEADER_LINE = re.compile(r"[ \t]{0,8}\*{0,2}([^\W\d_][^:：*\n]{0,18}?)\*{0,2}[ \t]{0,4}[:：]")
_INLINE_ORIGINAL = re.compile("(?<!-)-{4,}+[ ]?(?:" + "|".join(sorted(map(re.escape, ORIGINALS))) + ")[ ]?-{4}", re.IGNORECASE)


def strip_quotes(text: str) -> str:
    """The writer's own lines of `text`. If nothing would be left, the whole text (domain.md section 6)."""
    if _is_one_line(text):
        return text.strip()
    return "\n".join(text[start:end] for start, end in _own(text)).strip() or text.strip()


def blank_quotes(text: str) -> str:
    """`text` with everything but the writer's own lines blanked out: as long as `text`, so that offsets into it stay true."""
    if _is_one_line(text):
        return text
    kept = _own(text)
    if not any(text[start:end].strip() for start, end in kept):
        return text
    pieces: list[str] = []
    at = 0
    for start, end in kept:
        pieces += [_BLANKED.sub(" ", text[at:start]), text[start:end]]
        at = end
    return "".join(pieces) + _BLANKED.sub(" ", text[at:])


def _is_one_line(text: str) -> bool:
    """Whether there can be no history above or below what was written."""
    return "\n" not in text and "----" not in text and len(text.splitlines()) < 2


def _own(text: str) -> list[tuple[int, int]]:
    """Where the writer's own lines begin and end in `text`; a blank line between them counts as one."""
    whole = text.splitlines(keepends=True)
    lines = [line.rstrip(_LINE_ENDS) for line in whole]
    starts = list(accumulate((len(line) for line in whole), initial=0))
    kept: list[tuple[int, int]] = []
    index = 0
    while index < len(lines):
        line = lines[index]
        if not line.strip():
            kept.append((starts[index], starts[index]))
            index += 1
        elif line.lstrip().startswith((">", "＞")):
            index += 1
        elif _ends_own_words(lines, index):
            break
        elif inline := _INLINE_ORIGINAL.search(line):
            kept.append((starts[index], starts[index] + inline.start()))
            break
        elif length := _attribution(lines, index):
            index += length
            # Below marked lines the writer may go on; below unmarked ones nobody can tell whose words they are.
            if not _is_marked(lines, index):
                break
        else:
            if not _is_device_line(line):
                kept.append((starts[index], starts[index] + len(line)))
            index += 1
    while kept and not text[slice(*kept[-1])].strip(_DASHES):
        kept.pop()
    return kept


def _ends_own_words(lines: list[str], index: int) -> bool:
    """Whether a signature or an older mail begins at this line."""
    line = lines[index].strip()
    if line == "--":
        return True
    if len(line) <= _LONGEST_ATTRIBUTION and line[0] in _DASHES and line.strip(_DASHES + "<>:：").lower() in ORIGINALS:
        return True
    if not _role(line):
        return False
    roles = {_role(other) for other in lines[index : index + _BLOCK]} - {""}
    return "from" in roles and len(roles) >= 3


def _role(line: str) -> str:
    """Which line of a quoted header block this is: from, sent, to, subject, or empty."""
    found = _HEADER_LINE.match(line)
    return _ROLES.get(found[1].strip().lower(), "") if found else ""


def _attribution(lines: list[str], index: int) -> int:
    """How many lines an "On … Jane wrote:" takes that begins here: 0 if none does."""
    for count, line in enumerate(lines[index : index + 3], 1):
        line = line.strip()
        if not line:
            return 0
        if line[-1] in ":：":
            joined = " ".join(each.strip() for each in lines[index : index + count])
            if len(joined) <= _LONGEST_ATTRIBUTION and _is_attribution(joined):
                return count if count == 1 or _may_be_wrapped(lines[index : index + count]) else 0
    return 0


def _is_attribution(line: str) -> bool:
    if not line.endswith((":", "：")):
        return False
    dated = _DATED.search(line) is not None
    if dated and "@" in line and line[-2] == ">":
        return True  # Gmail's "2024-01-02 10:00 Shop <shop@example.com>:", in any language
    return (dated or "@" in line) and any(verb in line.lower() for verb in ATTRIBUTION_VERBS)


def _may_be_wrapped(lines: list[str]) -> bool:
    """Whether these lines are one attribution, and not the writer's last line with an attribution below it."""
    first = lines[0].strip()
    if not _DATED.search(first) or not (first.lower().startswith(ATTRIBUTION_STARTS) or "<" in first or "@" in first):
        return False
    rests = (" ".join(line.strip() for line in lines[start:]) for start in range(1, len(lines)))
    return not any(_is_attribution(rest) and _DATED.search(rest) for rest in rests)


def _is_marked(lines: list[str], index: int) -> bool:
    following = next((line.lstrip() for line in lines[index : index + _BLOCK] if line.strip()), "")
    return following.startswith((">", "＞"))


def _is_device_line(line: str) -> bool:
    line = line.strip().lower()
    return len(line) <= _LONGEST_DEVICE_LINE and line.startswith(DEVICE_STARTS) and any(device in line for device in DEVICES)
