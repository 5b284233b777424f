"""From a venue's socket to PostgreSQL: nothing is lost, nothing stored twice."""
