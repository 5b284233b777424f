"""One noun a file, as on every floor."""
