"""Measures what the detector costs beside speed: time to load, memory, and the worst texts.

    python benchmarks/resources.py

Each figure comes from a process of its own. README.md beside this file says what is measured and how.
"""

from __future__ import annotations

import json
import random
import statistics
import string
import subprocess
import sys
import time

RUNS = 5
LENGTH = 20_000

LOAD = """
import time
import msgbot
from msgbot.content import rule_cache
start = time.perf_counter()
msgbot.Detector(msgbot.built_in_rules())
print(time.perf_counter() - start)
"""
MEMORY = """
import resource, sys
import rapidfuzz.process, rapidfuzz.distance
bare = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
if sys.argv[1] == "msgbot":
    import json
    import msgbot
    detector = msgbot.Detector(msgbot.built_in_rules())
    for text in json.loads(sys.stdin.read()):
        detector.detect(text)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def python(code: str, *arguments: str, text: str = "") -> float:
    """What `code` prints in a new process."""
    command = [sys.executable, "-c", code, *arguments]
    ended = subprocess.run(command, input=text, capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    return float(ended.stdout)


def examples() -> list[str]:
    """The example sentences of all languages."""
    from importlib.resources import files

    import yaml

    found: list[str] = []
    for folder in files("msgbot.rules").iterdir():
        file = folder / "examples.yaml"
        if file.is_file():
            for sentences in yaml.safe_load(file.read_text("utf-8")).values():
                found += map(str, sentences)
    return found


def hostile() -> dict[str, str]:
    """Texts of LENGTH characters that are meant to take long."""
    chance = random.Random(1)  # noqa: S311 - no secret

    def new_words(least: int, most: int) -> str:
        text = "please cancel my order "
        while len(text) < LENGTH:
            text += "".join(chance.choices(string.ascii_lowercase, k=chance.randint(least, most))) + " "
        return text[:LENGTH]

    repeated = {
        "don't want": "don't want ", "cancel": "cancel ", "if not cancel": "if not cancel order you want ", "letters": "c ",
        "brackets": "<", "キャンセル": "キャンセル", "no blanks": "cancelmyorder",
    }  # fmt: skip
    texts = {f"{name!r} again and again": ("cancel it. " + piece * LENGTH)[:LENGTH] for name, piece in repeated.items()}
    return {"every word new, 3 to 9 letters": new_words(3, 9), "every word new, 10 to 14 letters": new_words(10, 14), **texts}


def slowest() -> list[tuple[str, float, float]]:
    """For each hostile text the milliseconds that it takes, and that half of it takes, with nothing remembered."""
    from msgbot import Detector, built_in_rules

    found = []
    for name, text in hostile().items():
        times = []
        for length in (LENGTH, LENGTH // 2):
            runs = []
            for _ in range(RUNS):
                detector = Detector(built_in_rules())
                detector.detect("please cancel my order")
                start = time.perf_counter()
                detector.detect(text[:length])
                runs.append(time.perf_counter() - start)
            times.append(min(runs) * 1000)
        found.append((name, times[0], times[1]))
    return found


def main() -> None:
    """Measures and prints."""
    load = [python(LOAD) * 1000 for _ in range(RUNS)]
    print(f"load all languages, rules in the cache: {statistics.median(load):.0f} ms (median of {RUNS})")
    texts = json.dumps(examples())
    bare = python(MEMORY, "bare")
    used = python(MEMORY, "msgbot", text=texts)
    print(f"memory: {used - bare:.0f} MB above a bare interpreter with rapidfuzz ({bare:.0f} MB), after reading all examples")
    print(f"texts of {LENGTH:,} characters (best of {RUNS}):")
    for name, whole, half in slowest():
        print(f"  {name:36s} {whole:6.1f} ms, half of it {half:6.1f} ms")


if __name__ == "__main__":
    main()
