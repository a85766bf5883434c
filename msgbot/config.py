"""Settings: from `msgbot.toml` in the current folder and from `MSGBOT_*` in the environment. Nothing else reads either."""

from __future__ import annotations

import unicodedata
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, IPvAnyNetwork, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from msgbot.amazon_settings import AmazonSettings
from msgbot.errors import ConfigError

FILE = Path("msgbot.toml")
_NOT_IN_A_LINE = frozenset({"Cc", "Zl", "Zp"})


def _one_line(value: str) -> str:
    if any(unicodedata.category(sign) in _NOT_IN_A_LINE for sign in value):
        raise ValueError("it stands under replies, and has a line end or a control character")
    return value


class Settings(BaseSettings):
    """What can be set. The environment beats the file, the command line beats both."""

    model_config = SettingsConfigDict(env_prefix="MSGBOT_", env_nested_delimiter="__", toml_file=FILE, extra="forbid")

    data: Path = Field(Path("msgbot-data"), description="Folder of the database.")
    database: str = Field("", description="Address of the database; empty: SQLite in the data folder.")
    account: Annotated[str, Field(pattern=r"^[\w.-]{1,64}$")] = Field("main", description="Name of the seller account.")
    store: Annotated[str, Field(max_length=200), AfterValidator(_one_line)] = Field(
        "", description="The seller's name under replies."
    )
    own_addresses: frozenset[str] = Field(
        frozenset(), description="The seller's own mail addresses; mail from them is never answered."
    )
    max_age_hours: Annotated[float, Field(gt=0)] = Field(
        24.0, description="Order facts older than this do not support a cancellation."
    )
    undo_seconds: Annotated[float, Field(ge=0)] = Field(0.0, description="How long a reply waits before it goes out.")
    outbox: Path | None = Field(None, description="Folder for the service's replies; empty: `outbox` in the data folder.")
    trusted_sources: frozenset[str] = Field(
        frozenset(), description="Names of tokens whose order facts may put a formal request on file."
    )
    keep_days: Annotated[int, Field(ge=0)] = Field(
        0, description="After so many days `msgbot prune` removes personal data; 0: it must be told how many."
    )
    key: SecretStr = Field(
        SecretStr(""), description="Key that webhook secrets follow from; empty: the file `msgbot.key` in the data folder."
    )
    host: str = Field("127.0.0.1", description="Address that the service listens on.")
    port: Annotated[int, Field(ge=0, le=65_535)] = Field(8080, description="Port that the service listens on.")
    trusted_proxies: frozenset[IPvAnyNetwork] = Field(
        frozenset(), description="Addresses or networks of proxies that are believed whom they ask for (X-Forwarded-For)."
    )
    max_body_mb: Annotated[float, Field(gt=0)] = Field(25.0, description="Largest request body; a stream of lines may be longer.")
    max_batch: Annotated[int, Field(gt=0)] = Field(10_000, description="Most messages in one JSON array.")
    rate_per_token: Annotated[float, Field(ge=0)] = Field(
        5_000.0, description="Requests a second that a token may make of one process; 0: no limit."
    )
    idle_seconds: Annotated[float, Field(gt=0)] = Field(
        30.0, description="A client that sends or takes nothing for so long is let go in mid-request."
    )
    stop_seconds: Annotated[float, Field(ge=0)] = Field(
        30.0, description="How long a stopping process goes on with what it has begun."
    )
    webhook_age_seconds: Annotated[float, Field(gt=0)] = Field(
        300.0, description="An incoming webhook signed longer ago than this is refused."
    )
    private_webhooks: bool = Field(False, description="Whether webhooks may go to http:// and to addresses inside the own network.")
    reader_process: bool = Field(True, description="Whether batches of messages are read in a process beside the service.")
    amazon: AmazonSettings = Field(default_factory=AmazonSettings, description="The connection to Amazon.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What the service logs.")
    log_format: Literal["json", "text"] = Field("json", description="Log lines for programs or for people.")

    @property
    def freshness(self) -> timedelta:
        """How old order facts may be for the guard."""
        return timedelta(hours=self.max_age_hours)

    @property
    def database_address(self) -> str | Path:
        """Where the database is."""
        return self.database or self.data / "msgbot.db"

    @property
    def webhook_age(self) -> timedelta:
        """How old an incoming webhook may be."""
        return timedelta(seconds=self.webhook_age_seconds)

    @property
    def outbox_folder(self) -> Path:
        """Where the service puts its replies."""
        return self.outbox or self.data / "outbox"

    @property
    def scratch(self) -> Path:
        """Where a process may put what it needs for a moment."""
        return self.data

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load_settings(**given: object) -> Settings:
    """The settings, with those `given` that are not None put on top. Raises ConfigError that names the setting."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        raise ConfigError("a setting is wrong: " + "; ".join(problems)) from error
    except ValueError as error:
        raise ConfigError(f"{FILE} cannot be read: {error}") from error
