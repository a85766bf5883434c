"""`msgbot worker`: one more process that does its share of the work."""

from msgbot.cli.serve import worker as command

__all__ = ["command"]
