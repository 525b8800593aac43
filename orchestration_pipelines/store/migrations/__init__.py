"""Alembic migrations, forward only; the SQL stands in files beside them."""
