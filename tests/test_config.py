"""Settings: what is wrong is named before anything begins."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

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
