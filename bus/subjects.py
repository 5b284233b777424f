"""The subjects on the bus and what their messages are made of."""

import msgspec

from market.publications import Latest, Publication

WAKE = "heliograph.wake"
"""Shards with new batches: list[int]."""

PUBLICATIONS = "heliograph.publications"
"""What one claim committed, in order: list[Publication]."""

LATEST = "heliograph.latest"
"""What one ingest transaction committed, newest of each instrument, or bars that run: list[Latest]."""

GENERATIONS = "heliograph:generations"
"""A hash: by the id of an instrument, a word that changes whenever something of it is computed again."""

ANY = "any"
"""In that hash: the word that changes with each of the others."""

encode = msgspec.msgpack.Encoder().encode
decode_wake = msgspec.msgpack.Decoder(list[int]).decode
decode_publications = msgspec.msgpack.Decoder(list[Publication]).decode
decode_latest = msgspec.msgpack.Decoder(list[Latest]).decode
