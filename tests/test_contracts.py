"""The rules of the house, checked: layers, purity, who may open which files, packaging, and that the docs tell of everything
there is."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_origin

import click
import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from msgbot.cli.main import cli
from msgbot.config import Settings

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "msgbot").rglob("*.py"))


def test_the_layers_hold() -> None:
    linted = subprocess.run(["lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert linted.returncode == 0, linted.stdout


def calls(path: Path) -> Iterator[str]:
    """The dotted names of everything that a file calls or takes an attribute of."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id


@pytest.mark.parametrize("path", [path for path in SOURCES if "domain" in path.parts], ids=lambda path: path.name)
def test_the_domain_has_no_clock_no_files_and_does_not_wait(path: Path) -> None:
    assert not {"datetime.now", "datetime.utcnow", "time.time", "open", "print", "input"} & set(calls(path))
    assert not any(isinstance(node, ast.AsyncFunctionDef | ast.Await) for node in ast.walk(ast.parse(path.read_text("utf-8"))))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_clock_tells_the_time_and_only_the_config_reads_the_environment(path: Path) -> None:
    used = set(calls(path))
    name = str(path.relative_to(ROOT / "msgbot"))
    if name not in {"clock.py", "cli/explain.py", "cli/orders.py"}:
        # `msgbot try` makes up an order of this moment, and `msgbot orders` looks at the age of a file.
        assert not {"datetime.now", "time.time"} & used
    if name not in {"config.py", "cli/main.py"}:
        # The command line reads one switch, MSGBOT_DEBUG, before any setting can be trusted.
        assert not {"os.environ", "os.getenv"} & used


def test_nothing_is_called_utils() -> None:
    assert not [path for path in SOURCES if path.stem in {"utils", "util", "helpers", "common", "misc", "base", "manager"}]


def test_every_package_ships() -> None:
    """setuptools is told the packages by name, so that the data folders at the top can ship inside; none may be forgotten."""
    told = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    found = {".".join(path.parent.relative_to(ROOT).parts) for path in SOURCES if path.name == "__init__.py"}
    assert told == found | {"msgbot.rules", "msgbot.replies"}


def commands(group: click.Group, prefix: str = "msgbot") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{prefix} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix} {name}")


@pytest.mark.parametrize(("name", "command"), list(commands(cli)), ids=lambda value: value if isinstance(value, str) else "")
def test_every_command_is_explained_and_in_the_readme(name: str, command: click.Command) -> None:
    assert command.help
    assert all(parameter.help for parameter in command.params if isinstance(parameter, click.Option)), "an option without help"
    assert name in (ROOT / "README.md").read_text("utf-8")


def settings(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every setting by its dotted name; `NAME` stands for a name that the user gives."""
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}", field
        inner = get_args(field.annotation)[1] if get_origin(field.annotation) is dict else field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from settings(inner, f"{prefix}{name}." + ("NAME." if inner is not field.annotation else ""))


@pytest.mark.parametrize(("name", "field"), list(settings(Settings)), ids=lambda value: value if isinstance(value, str) else "")
def test_every_setting_is_in_the_readme(name: str, field: FieldInfo) -> None:
    assert field.description
    assert f"`{name}`" in (ROOT / "README.md").read_text("utf-8")


def test_the_settings_of_accounts_at_amazon_are_among_those_looked_for() -> None:
    assert "amazon.accounts.NAME.refresh_token" in dict(settings(Settings))


def test_the_readme_names_no_file_that_is_not_there() -> None:
    named = re.findall(r"`((?:rules|replies|msgbot|tests)/[\w./-]*)`", (ROOT / "README.md").read_text("utf-8"))
    assert named
    assert not [name for name in named if not (ROOT / name).exists()]


def test_the_pinned_versions_have_no_addresses() -> None:
    assert not re.search(r"https?://|@ file", (ROOT / "constraints.txt").read_text())


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("msgbot.cli.main", "aiobotocore botocore defusedxml aiohttp sqlalchemy dbos pydantic"),
        ("msgbot.cli.detect", "aiobotocore botocore defusedxml aiohttp sqlalchemy dbos pydantic"),
        ("msgbot.wiring", "aiobotocore botocore"),
    ],
)
def test_what_takes_long_to_load_is_loaded_only_where_it_is_used(module: str, absent: str) -> None:
    program = f"import sys, {module}; print(*set({absent.split()!r}) & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert (loaded.returncode, loaded.stdout.split()) == (0, []), loaded.stderr


def test_the_wheel_installs_elsewhere_and_checks_itself(tmp_path: Path) -> None:
    """What ships is whole: built, installed beside nothing of the sources, and run."""
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path / "dist"), str(ROOT)]
    built = subprocess.run(build, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    wheel = next((tmp_path / "dist").glob("*.whl"))
    venv.create(tmp_path / "venv", with_pip=False)
    site = next((tmp_path / "venv").glob("lib/python*/site-packages"))
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(site), str(wheel)], check=True)
    # Its dependencies come from the machine's own packages; msgbot itself must not.
    others = next(Path(entry) for entry in sys.path if entry.endswith("site-packages"))
    program = f"""
import sys
sys.path.append({str(others)!r})
import msgbot.cli.main as main
sys.argv = ["msgbot", "check"]
print(main.__file__)
main.run()
"""
    python = tmp_path / "venv" / "bin" / "python"
    checked = subprocess.run([str(python), "-I", "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert str(tmp_path) in checked.stdout
    assert "no faults" in checked.stdout
