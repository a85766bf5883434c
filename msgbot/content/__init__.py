"""Reads and checks the data that people edit: `rules/` and `replies/`. The only package that opens those files."""
