"""The life of a process: start, run, stop; settings, logs, metrics, clocks."""
