"""`python -m msgbot` is `msgbot`."""

from msgbot.cli.main import run

if __name__ == "__main__":
    run()
