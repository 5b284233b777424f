"""What is stored, read back a page at a time, by statements that are composed with SQLAlchemy Core."""
