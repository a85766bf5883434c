"""The installation's key: what follows from it, where it comes from, and who may read it."""

from __future__ import annotations

import base64
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgbot.config import Settings, load_settings
from msgbot.errors import ConfigError
from msgbot.installation_key import FILE, InstallationKey, read_key

KEY = bytes(range(32))
NAMES = st.tuples(st.text(max_size=8), st.text(max_size=8), st.text(max_size=8), st.integers(0, 99))


def settings(folder: Path, key: str = "") -> Settings:
    return load_settings(data=folder / "data", key=key)


def test_a_secret_stays_the_same_from_release_to_release() -> None:
    """Receivers were told it once."""
    assert InstallationKey(KEY).secret_for("webhook", "main", "wh_1", 1) == "whsec_s16Uz2/9Xzx+llNvvqxidH5Op/0pzXH4WArl+pv2zAk="


@given(NAMES, NAMES)
def test_different_things_get_different_secrets(one: tuple[str, str, str, int], other: tuple[str, str, str, int]) -> None:
    key = InstallationKey(KEY)
    assert (key.secret_for(*one) == key.secret_for(*other)) == (one == other)
    assert key.secret_for(*one) != InstallationKey(KEY[::-1]).secret_for(*one)
    assert len(base64.b64decode(key.secret_for(*one).removeprefix("whsec_"))) == 32


@pytest.mark.parametrize(
    "text",
    [
        KEY.hex(),
        KEY.hex().upper(),
        base64.b64encode(KEY).decode(),
        base64.b64encode(KEY).decode().rstrip("="),
        f"  {base64.b64encode(KEY).decode()}\n",
    ],
)
def test_a_key_may_be_written_in_hex_or_base64(text: str, tmp_path: Path) -> None:
    assert read_key(settings(tmp_path, text)) == InstallationKey(KEY)
    assert not (tmp_path / "data").exists()


def test_a_key_may_be_written_in_the_base64_of_addresses(tmp_path: Path) -> None:
    key = b"\xfb\xff" * 16
    assert read_key(settings(tmp_path, base64.urlsafe_b64encode(key).decode())) == InstallationKey(key)


@pytest.mark.parametrize("text", ["secret", "correct horse battery", KEY[:31].hex(), base64.b64encode(KEY[:31]).decode(), "ö"])
def test_what_is_no_key_is_refused_and_not_shown(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the setting 'key' is no key") as refused:
        read_key(settings(tmp_path, text))
    assert text not in str(refused.value)


def test_too_few_bytes_are_refused() -> None:
    with pytest.raises(ConfigError, match="31 bytes"):
        InstallationKey(KEY[:31])


def test_a_key_does_not_show_in_its_text() -> None:
    assert repr(InstallationKey(KEY)) == "InstallationKey()"


def test_a_key_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    first = read_key(settings(tmp_path))
    path = tmp_path / "data" / FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_key(settings(tmp_path)) == first
    assert [each.name for each in path.parent.iterdir()] == [FILE]


def test_processes_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        keys = list(pool.map(lambda _: read_key(settings(tmp_path)), range(64)))
    assert len({key.content for key in keys}) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_key_file_that_others_may_use_is_refused(mode: int, tmp_path: Path) -> None:
    read_key(settings(tmp_path))
    os.chmod(tmp_path / "data" / FILE, mode)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_key(settings(tmp_path))


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff" * 40])
def test_a_damaged_key_file_is_refused_and_left_alone(content: bytes, tmp_path: Path) -> None:
    """A new key in its place would make every secret that was given out worthless."""
    read_key(settings(tmp_path))
    path = tmp_path / "data" / FILE
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"msgbot\.key is no key"):
        read_key(settings(tmp_path))
    assert path.read_bytes() == content


def test_a_data_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(ConfigError, match="cannot be used"):
        read_key(settings(tmp_path))
