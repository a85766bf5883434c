"""Documents of feeds and reports: bytes behind an address that lives five minutes, as in Amazon's storage (domain.md section 4)."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgbot.fake_amazon.call import Call, Reply, missing

LIFETIME = timedelta(minutes=5)
_FAULT = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'


@dataclass(slots=True)
class Document:
    """A document. `data` is None until it was uploaded; `content_type` is what it must be uploaded with, and is downloaded with."""

    id: str
    seller_id: str
    content_type: str
    data: bytes | None = None
    zipped: bool = False


class Documents:
    """All documents, and the addresses that lead to them."""

    def __init__(self) -> None:
        self.base = ""
        self._documents: dict[str, Document] = {}
        self._addresses: dict[str, tuple[str, datetime]] = {}

    def make(self, kind: str, seller_id: str, content_type: str, data: bytes | None = None, *, zipped: bool = False) -> Document:
        """A new document, of which `data` is kept zipped if it is to be so."""
        kept = gzip.compress(data) if zipped and data is not None else data
        document = Document(f"amzn1.tortuga.{kind}.{len(self._documents) + 1}", seller_id, content_type, kept, zipped)
        self._documents[document.id] = document
        return document

    def own(self, document_id: str, seller_id: str) -> Document:
        """The seller's document. Raises Refusal (404) when it has none of this id."""
        document = self._documents.get(document_id)
        if document is None or document.seller_id != seller_id:
            raise missing("The document was not found.")
        return document

    def address(self, document: Document, now: datetime) -> str:
        """A new address for it, which lives five minutes."""
        key = f"{len(self._addresses) + 1:08d}"
        self._addresses[key] = (document.id, now + LIFETIME)
        return f"{self.base}/storage/{key}?X-Amz-Expires={int(LIFETIME.total_seconds())}&X-Amz-Signature=5f2d"

    def answer_to(self, call: Call, name: str) -> Reply:
        """Answers getFeedDocument and getReportDocument, which give the id under another `name`. Raises Refusal (404)."""
        document = self.own(call.names["document"], call.seller_id)
        packed = {"compressionAlgorithm": "GZIP"} if document.zipped else {}
        return Reply(200, {name: document.id, "url": self.address(document, call.at), **packed})

    def serve(self, call: Call) -> Reply:
        """Answers a PUT or GET to an address as Amazon's storage does: it wants no headers of the API, and the promised type."""
        found = self._addresses.get(call.path.rpartition("/")[2])
        if found is None:
            return _no(404, "NoSuchKey", "The specified key does not exist.")
        document, expires = self._documents[found[0]], found[1]
        if call.at >= expires:
            return _no(403, "AccessDenied", "Request has expired")
        if any(name.lower().startswith("x-amz-") or name.lower() == "authorization" for name in call.headers):
            return _no(400, "InvalidArgument", "Only one auth mechanism allowed")
        if call.method == "PUT":
            if call.headers.get("Content-Type") != document.content_type:
                return _no(403, "SignatureDoesNotMatch", "The request signature we calculated does not match.")
            document.data = call.body
            return Reply(200, raw=b"", content_type="application/xml")
        if document.data is None:
            return _no(404, "NoSuchKey", "The specified key does not exist.")
        return Reply(200, raw=document.data, content_type=document.content_type)


def _no(status: int, code: str, message: str) -> Reply:
    return Reply(status, raw=_FAULT.format(code=code, message=message).encode(), content_type="application/xml")
