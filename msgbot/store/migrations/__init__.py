"""Alembic migrations; `env.py` runs them on the connection that `database` hands over."""
