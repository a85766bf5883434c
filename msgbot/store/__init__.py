"""Where msgbot remembers: SQLAlchemy tables and queries on SQLite or PostgreSQL. The only package that knows SQL."""
