"""Bytes on a TCP connection: requests of HTTP, and sockets whose frames are ours to cut."""
