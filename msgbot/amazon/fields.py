"""Fields of JSON objects, read with their paths: what is missing or wrong is told as `orders[3].orderItems[0].orderItemId`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from msgbot.domain.message import ORDER_ID
from msgbot.errors import InputError

_MOST = 2**31 - 1


class Fields:
    """A JSON object at `path` in its document. Methods named `required_` raise InputError where a field is missing or of a wrong
    type; the others take such a field as not there.

    `notes` collects sentences about values that are not known; objects within this one share it."""

    def __init__(self, value: object, path: str = "", notes: list[str] | None = None) -> None:
        if not isinstance(value, Mapping):
            raise InputError(f"{path or 'the answer'} is {_kind(value)}, expected an object")
        self._values: Mapping[str, object] = value
        self.path = path
        self.notes = [] if notes is None else notes

    def place(self, name: str) -> str:
        """The path of a field of this object."""
        return f"{self.path}.{name}" if self.path else name

    def has(self, name: str) -> bool:
        """Whether the field is there, be it null."""
        return name in self._values

    def get(self, name: str) -> object:
        """The value as it stands; None where it is missing."""
        return self._values.get(name)

    def note(self, name: str, sentence: str) -> None:
        """Adds a sentence about a field."""
        self.notes.append(f"{self.place(name)}: {sentence}")

    def text(self, name: str) -> str:
        """The trimmed text, or empty. A whole number is taken as text: some tools save ids so."""
        value = self.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value) if abs(value) < 10**30 else ""
        return value.strip() if isinstance(value, str) else ""

    def required_text(self, name: str, *, may_be_empty: bool = False) -> str:
        """The text; raises InputError where there is none."""
        text = self.text(name)
        if not text and not (may_be_empty and isinstance(self.get(name), str)):
            raise self._wrong(name, "text")
        return text

    def order_id(self, name: str) -> str:
        """The order id; raises InputError where it is missing or none."""
        text = self.required_text(name)
        if not ORDER_ID.fullmatch(text):
            raise InputError(f'{self.place(name)}: "{text[:40]}" is not an order id like 123-1234567-1234567')
        return text

    def number(self, name: str) -> int | None:
        """The whole number from 0 on; None where there is none."""
        value = self.get(name)
        if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) < 12:
            value = int(value)
        return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST else None

    def required_number(self, name: str) -> int:
        """The whole number from 0 on; raises InputError where there is none."""
        number = self.number(name)
        if number is None:
            raise self._wrong(name, "a whole number")
        return number

    def moment(self, name: str) -> datetime | None:
        """The time in UTC; None where there is none, with a note where it cannot be read."""
        text = self.text(name)
        moment = parse_moment(text)
        if text and moment is None:
            self.note(name, f'"{text[:40]}" is not a date with its time zone')
        return moment

    def required_moment(self, name: str) -> datetime:
        """The time in UTC; raises InputError where there is none that can be read."""
        moment = parse_moment(self.text(name))
        if moment is None:
            raise self._wrong(name, "a date with its time zone")
        return moment

    def within(self, name: str) -> Fields:
        """The object in this field; one without fields where there is none."""
        value = self.get(name)
        return Fields(value if isinstance(value, Mapping) else {}, self.place(name), self.notes)

    def required_within(self, name: str) -> Fields:
        """The object in this field; raises InputError where there is none."""
        if not isinstance(self.get(name), Mapping):
            raise self._wrong(name, "an object")
        return self.within(name)

    def required_list(self, name: str) -> Iterator[tuple[object, str]]:
        """The values of a list, each with its path; raises InputError where there is no list."""
        values = self.get(name)
        if not isinstance(values, list):
            raise self._wrong(name, "a list")
        return ((value, f"{self.place(name)}[{index}]") for index, value in enumerate(values))

    def _wrong(self, name: str, expected: str) -> InputError:
        value = self.get(name)
        if value is None or value == "":
            return InputError(f"{self.place(name)} is missing")
        return InputError(f"{self.place(name)} is {_kind(value)}, expected {expected}")


def parse_moment(text: str) -> datetime | None:
    """`2024-12-25T10:30:00Z` as a time in UTC; None for what is no time or has no zone."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return f'"{value[:40]}"'
        case list():
            return "a list"
        case Mapping():
            return "an object"
    return "a number"
