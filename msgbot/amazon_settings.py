"""Settings of the connection to Amazon: `[amazon]` in `msgbot.toml`, or `MSGBOT_AMAZON__…` in the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

Text = Annotated[str, StringConstraints(strip_whitespace=True)]
AccountName = Annotated[str, StringConstraints(pattern=r"^[\w.-]{1,64}$")]


class AmazonAccount(BaseModel):
    """One seller account at Amazon: `[amazon.accounts.NAME]`, NAME being the name of the account here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    marketplaces: tuple[Text, ...] = Field(min_length=1, description="Marketplace ids or domains, all of one region.")
    seller_id: Text = Field(
        default="", description="The merchant token (Seller Central > Account Info); feeds and notifications need it."
    )
    refresh_token: SecretStr = Field(default=SecretStr(""), description="The LWA refresh token; better in the environment.")
    refresh_token_file: Path | None = Field(default=None, description="A file (mode 600) that holds it.")
    orders_api: Literal["2026-01-01", "v0"] = Field(default="2026-01-01", description="Version of the Orders API.")


class AmazonSettings(BaseModel):
    """The application that the sellers have authorised, and its queue."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    client_id: Text = Field(default="", description="The application's LWA client id.")
    client_secret: SecretStr = Field(default=SecretStr(""), description="Its LWA client secret; better in the environment.")
    client_secret_file: Path | None = Field(default=None, description="A file (mode 600) that holds it.")
    accounts: dict[AccountName, AmazonAccount] = Field(default={}, description="The seller accounts, by name.")
    poll_seconds: Annotated[float, Field(gt=0)] = Field(default=240.0, description="Seconds between readings of changed orders.")
    queue_url: Text = Field(default="", description="The SQS queue that ORDER_CHANGE notifications come to; empty: none.")
    queue_region: Text = Field(default="", description="Its AWS region; empty: as the address says.")
    queue_endpoint: Text = Field(default="", description="Address of the SQS service; empty: AWS.")
    endpoint: Text = Field(
        default="", description="Base address of the Selling Partner API; empty: that of the marketplaces' region."
    )
    token_endpoint: Text = Field(default="https://api.amazon.com/auth/o2/token", description="Where access tokens come from.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.accounts and not self.client_id:
            raise ValueError("accounts are given, but no client_id")
        return self
