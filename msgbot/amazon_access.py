"""Access to Amazon as the settings give it: the application, the sellers, and their secrets, which come from the environment or
from files that only their owner can read."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from msgbot.amazon.marketplaces import by_domain, by_id
from msgbot.amazon_settings import AmazonSettings
from msgbot.errors import ConfigError
from msgbot.spapi.access import Application, Seller, base_address


def application(settings: AmazonSettings) -> Application:
    """The application. Raises ConfigError when its secret is missing, or others can read the file."""
    secret = _secret(settings.client_secret, settings.client_secret_file, "amazon.client_secret")
    return Application(settings.client_id, secret, settings.token_endpoint)


def sellers(settings: AmazonSettings) -> Mapping[str, Seller]:
    """The accounts that are connected to Amazon, by name. Raises ConfigError that names all settings that are wrong."""
    found: dict[str, Seller] = {}
    wrong: list[str] = []
    for name in settings.accounts:
        try:
            found[name] = _seller(settings, name)
        except ConfigError as error:
            wrong.append(str(error))
    if wrong:
        raise ConfigError("; ".join(wrong))
    return found


def _seller(settings: AmazonSettings, name: str) -> Seller:
    given = settings.accounts[name]
    where = f"amazon.accounts.{name}"
    try:
        base = settings.endpoint.rstrip("/") or base_address(given.marketplaces)
    except ConfigError as error:
        raise ConfigError(f"the setting {where}.marketplaces: {error}") from error
    return Seller(
        account=name,
        seller_id=given.seller_id,
        marketplaces=tuple(_marketplace_id(each, where) for each in given.marketplaces),
        orders_api=given.orders_api,
        base=base,
        refresh_token=_secret(given.refresh_token, given.refresh_token_file, f"{where}.refresh_token"),
    )


def _marketplace_id(name: str, where: str) -> str:
    place = by_id(name) or by_domain(name)
    if place is None:
        raise ConfigError(f"the setting {where}.marketplaces: {name!r} is not known; give ids like A1PA6795UKMFR9, or domains")
    return place.id


def _secret(given: SecretStr, file: Path | None, where: str) -> str:
    secret = given.get_secret_value().strip()
    if not secret and file is not None:
        secret = _read(file, where)
        if not secret:
            raise ConfigError(f"the file {file} (setting {where}_file) is empty: write the secret into it")
    if not secret:
        # The names of environment variables are letters, digits and underscores, and their case is not kept.
        named = re.fullmatch(r"[a-z0-9_.]+", where) is not None
        variable = f"set MSGBOT_{where.replace('.', '__').upper()}, or " if named else "set "
        raise ConfigError(f"the setting {where} is missing: {variable}{where}_file to a file that holds it")
    return secret


def _read(path: Path, where: str) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise ConfigError(
                    f"the file {path} (setting {where}_file) can be read by others: `chmod 600` it; if they did, get a new one"
                )
            return file.read().strip()
    except UnicodeDecodeError as error:
        raise ConfigError(f"the file {path} (setting {where}_file) holds no text: a secret is one line of letters") from error
    except OSError as error:
        raise ConfigError(f"the file {path} (setting {where}_file) cannot be read: {error.strerror}") from error
