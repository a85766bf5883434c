"""XML documents from Amazon: bytes to elements, with nothing in them that a document could do harm with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError  # the types only: parsing is defusedxml's

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from msgbot.amazon.flat_files import decode
from msgbot.errors import InputError

_DECLARED = re.compile(rb"""\s*<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]+)""")


def read_xml(data: bytes, source: str = "XML") -> Element:
    """The first element of a document, in the charset that it declares or shows.

    Raises InputError when the data is no XML, is cut off, or has a document type: Amazon's answers have none, and entities defined
    there can fill the memory or fetch files.
    """
    try:
        root: Element = fromstring(xml_text(data), forbid_dtd=True)
    except DefusedXmlException as error:
        fault = "the XML has a document type (DTD) or defines entities: refused, as no answer of Amazon's has any"
        raise InputError(fault, file=source, line=1, column=1) from error
    except ParseError as error:
        line, column = error.position
        raise InputError(f"this is not XML, or cut off: {error.msg}", file=source, line=line, column=column + 1) from error
    except ValueError as error:
        raise InputError("the text of this XML cannot be read", file=source, line=1, column=1) from error
    return root


def xml_text(data: bytes) -> str:
    """The text of XML bytes. A byte order mark decides, then the bytes themselves, then the charset that is declared."""
    head = data[:200]
    if head.startswith((b"<\0", b"\0<")):
        return data.decode("utf-16-le" if head.startswith(b"<") else "utf-16-be", "replace")
    declared = _DECLARED.match(head)
    charset = declared[1].decode() if declared else "utf-8"
    # A declaration that can be read as ASCII does not stand in UTF-16: the file was saved anew since.
    return decode(data, None if charset.lower().startswith(("utf-16", "ucs-2", "utf-32")) else charset)[0]


def name_of(element: Element) -> str:
    """The element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def children(element: Element, name: str) -> Iterator[Element]:
    """The children called `name`, in any namespace or none."""
    return (child for child in element if name_of(child) == name)


def child(element: Element | None, *names: str) -> Element | None:
    """The first child called so, or that child's child, for as many names as are given; None where there is none."""
    for name in names:
        element = next(children(element, name), None) if element is not None else None
    return element


def text_of(element: Element | None, *names: str) -> str:
    """The trimmed text of the element that `child` finds; empty where there is none."""
    found = child(element, *names)
    return (found.text or "").strip() if found is not None else ""
