"""Alembic's revisions, run by db.migrating."""
