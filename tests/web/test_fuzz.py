"""Every route, fuzzed from the OpenAPI document: nothing fails inside, and every answer is as it is documented."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.serving import serve

# Documents say the shape of a body, not whether an address or a table is one: those checks would take a right refusal for a fault.
NOT_SAID = "positive_data_acceptance"


def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    with serve(tmp_path).ready() as process:
        # One worker: two threads that parse Python at once can trip up CPython 3.11 ("AST constructor recursion depth mismatch").
        command = [
            str(Path(sys.executable).with_name("st")), "run", f"{process.address}/openapi.json",
            "--header", f"Authorization: Bearer {process.token}", "--checks", "all", "--exclude-checks", NOT_SAID,
            "--phases", "examples,coverage,fuzzing", "--max-examples", "10", "--workers", "1", "--no-color",
            "--generation-deterministic",
        ]  # fmt: skip
        found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=500)
        assert found.returncode == 0, found.stdout[-10_000:]
        # Every one of them.
        assert re.search(r"Selected: (\d\d)/\1\s+Tested: \1\b", found.stdout), found.stdout[-3_000:]
        assert "Traceback" not in process.log
        assert process.stop() == 0
