"""REST history through a cache, and the stream."""
