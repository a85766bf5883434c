"""The installation's key: the one secret kept. Those of webhooks and of signed requests follow from it, so that none is stored."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from msgbot.config import Settings
from msgbot.errors import ConfigError

FILE = "msgbot.key"
WEBHOOK = "webhook"
"""The purpose of secrets that webhooks are signed with."""
SIGNER = "signer"
"""The purpose of secrets that those sign with who send us webhooks."""
_LEAST_BYTES = 32
_PREFIX = "whsec_"
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+")


@dataclass(frozen=True, slots=True)
class InstallationKey:
    """At least 32 secret bytes; raises ConfigError for fewer."""

    content: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.content) < _LEAST_BYTES:
            raise ConfigError(f"the installation's key has {len(self.content)} bytes; it must have at least {_LEAST_BYTES}")

    def secret_for(self, purpose: str, account: str, identity: str, version: int) -> str:
        """The secret of one webhook or token, as Standard Webhooks writes them: `whsec_` and base64 of 32 bytes. The same four
        always give the same; a new `version` gives a new one."""
        # A JSON array: no two different fours are written alike.
        named = json.dumps([purpose, account, identity, version], ensure_ascii=True, separators=(",", ":"))
        derived = hmac.new(self.content, named.encode("ascii"), hashlib.sha256).digest()
        return _PREFIX + base64.b64encode(derived).decode("ascii")

    def secret_of_token(self, token_id: str) -> str:
        """The secret that the holder of a signing token signs with."""
        return self.secret_for(SIGNER, "", token_id, 1)


def read_key(settings: Settings) -> InstallationKey:
    """The key from the setting `key`, else from the file `msgbot.key` in the data folder, which is made when it is not there.

    All machines that share a database need the same key: set it, or copy the file. A machine without either makes a key of its
    own, and signs with secrets that nobody was told. Raises ConfigError when the key is not one, or others can read its file."""
    given = settings.key.get_secret_value().strip()
    if given:
        return _decoded(given, "the setting 'key'")
    path = settings.data / FILE
    try:
        if not path.exists():
            _make(path)
        return _decoded(_read(path), str(path))
    except OSError as error:
        raise ConfigError(f"the key file {path} cannot be used: {error.strerror}") from error


def _decoded(text: str, where: str) -> InstallationKey:
    try:
        content = bytes.fromhex(text) if _HEX.fullmatch(text) else _from_base64(text)
    except ValueError:
        content = b""
    if len(content) < _LEAST_BYTES:
        wanted = f"base64 or hex of at least {_LEAST_BYTES} random bytes"
        raise ConfigError(f"{where} is no key: it must be {wanted} (`openssl rand -base64 {_LEAST_BYTES}` makes one)")
    return InstallationKey(content)


def _from_base64(text: str) -> bytes:
    """Also of the kind for addresses, and without its padding."""
    usual = text.replace("-", "+").replace("_", "/").rstrip("=")
    return base64.b64decode(usual + "=" * (-len(usual) % 4), validate=True)


def _read(path: Path) -> str:
    with path.open(encoding="ascii", errors="replace") as file:
        if os.fstat(file.fileno()).st_mode & 0o077:
            raise ConfigError(f"others may use the key file {path}: `chmod 600` it, or make a new one if they did")
        return file.read().strip()


def _make(path: Path) -> None:
    """Makes a key file, whole or not at all. If another process is first, its file stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{FILE}.{secrets.token_hex(4)}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(base64.b64encode(secrets.token_bytes(_LEAST_BYTES)).decode("ascii") + "\n")
            file.flush()
            os.fsync(descriptor)
        # Unlike a rename, a link never takes the place of a file that is there.
        os.link(unfinished, path)
    except FileExistsError:
        pass
    finally:
        unfinished.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
