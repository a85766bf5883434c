"""Amazon's formats and services: the only package that knows how Amazon spells things."""
