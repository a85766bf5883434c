"""Settings: what is wrong is named before anything begins."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from msgbot.amazon_access import application, sellers
from msgbot.amazon_settings import AmazonSettings
from msgbot.config import FILE, load_settings
from msgbot.errors import ConfigError


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"store": "Two\nlines"}, "store: .*line end"),
        ({"store": "x" * 201}, "store: .*200 characters"),
        ({"trusted_proxies": {"nobody"}}, "trusted_proxies"),
        ({"account": "a b"}, "account"),
        ({"port": 70_000}, "port"),
    ],
)
def test_a_setting_that_cannot_be_is_named(given: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load_settings(**given)


def test_the_environment_beats_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / FILE).write_text('store = "Of the file"\ntrusted_proxies = ["127.0.0.1", "10.0.0.0/8"]\n')
    monkeypatch.setenv("MSGBOT_STORE", "Of the environment")
    settings = load_settings()
    assert settings.store == "Of the environment"
    assert settings.trusted_proxies == {ip_network("127.0.0.1"), ip_network("10.0.0.0/8")}


def test_the_secrets_of_an_account_at_amazon_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / FILE).write_text('[amazon]\nclient_id = "id"\n[amazon.accounts.main]\nmarketplaces = ["amazon.de"]\n')
    monkeypatch.setenv("MSGBOT_AMAZON__CLIENT_SECRET", "our secret")
    monkeypatch.setenv("MSGBOT_AMAZON__ACCOUNTS__MAIN__REFRESH_TOKEN", "their token")
    amazon = load_settings().amazon
    assert application(amazon).client_secret == "our secret"
    seller = sellers(amazon)["main"]
    assert (seller.refresh_token, seller.marketplaces) == ("their token", ("A1PA6795UKMFR9",))


def test_a_secret_in_a_file_is_taken_only_when_nobody_else_can_read_it(tmp_path: Path) -> None:
    secret = tmp_path / "amazon-secret"
    secret.write_text("our secret\n")
    given = AmazonSettings(client_id="id", client_secret_file=secret)
    secret.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        application(given)
    secret.chmod(0o600)
    assert application(given).client_secret == "our secret"


def test_a_missing_secret_is_told_with_the_variable_that_takes_it() -> None:
    with pytest.raises(ConfigError, match="MSGBOT_AMAZON__CLIENT_SECRET"):
        application(AmazonSettings(client_id="id"))


def test_settings_that_are_given_take_the_place_of_the_whole_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / FILE).write_text('[amazon]\nclient_id = "id"\nqueue_url = "https://elsewhere.example"\n')
    monkeypatch.setenv("MSGBOT_AMAZON__ENDPOINT", "https://elsewhere.example")
    given = AmazonSettings(client_id="other")
    assert load_settings(amazon=given).amazon == given
