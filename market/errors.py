"""Every error that Heliograph raises on purpose.

::

    HeliographError
    ├── ConfigurationError
    ├── InvalidInputError
    │   ├── UnknownVenueError
    │   ├── UnknownInstrumentError
    │   ├── UnknownFeedError
    │   ├── UnknownJobError
    │   ├── UnknownModelError
    │   ├── UnknownSignalError
    │   └── RefusedRequestError
    ├── UnauthenticatedError
    ├── ForbiddenError
    ├── SaturatedError
    ├── ModelError
    │   ├── UntrainableError
    │   ├── UntrustedModelError
    │   └── UnpromotedModelError
    ├── DecodeError
    │   └── RefusedTickError
    ├── UnsoundSignalError
    ├── FeedError
    │   ├── SubscriptionRefusedError
    │   ├── UnresolvedNameError
    │   ├── GeoBlockedError
    │   ├── ProxyError
    │   ├── RateLimitedError
    │   ├── VenueUnavailableError
    │   └── VenueRefusedError
    ├── StoreError
    │   ├── StoreUnavailableError
    │   ├── StoreConflictError
    │   └── StoreBusyError
    ├── ArchiveError
    ├── BusError
    │   └── BusUnavailableError
    └── StackError

``retryable`` says whether trying the same thing again, unchanged, can succeed.
"""

from typing import ClassVar


class HeliographError(Exception):
    """The root. Its message says what was wrong, where, and what to do."""

    retryable: ClassVar[bool] = False


class ConfigurationError(HeliographError):
    """A setting is missing or makes no sense."""


class InvalidInputError(HeliographError):
    """What was given from outside cannot be used as it is."""

    def __init__(self, message: str, *, where: str = "") -> None:
        """Say what is wrong and, if one can be blamed, with which parameter."""
        super().__init__(message)
        self.where = where


class UnknownVenueError(InvalidInputError):
    """No adapter exists for the venue named."""


class UnknownInstrumentError(InvalidInputError):
    """No instrument of that name is known."""


class UnknownFeedError(InvalidInputError):
    """No such feed is wanted."""


class UnknownJobError(InvalidInputError):
    """No such job was asked for."""


class UnknownModelError(InvalidInputError):
    """No such trained model is stored."""


class UnknownSignalError(InvalidInputError):
    """No signal of that id is stored."""


class RefusedRequestError(InvalidInputError):
    """What a subscriber asked for cannot be done; ``code`` is its number in the stream's protocol."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class UnauthenticatedError(HeliographError):
    """Who asks did not say who they are."""


class ForbiddenError(HeliographError):
    """Who asks may not do this."""


class SaturatedError(HeliographError):
    """No ingester has room for more; the same request may pass when they have caught up."""

    retryable = True


class ModelError(HeliographError):
    """A model cannot be trained, loaded, or promoted."""


class UntrainableError(ModelError):
    """There is too little history to train a model on."""


class UntrustedModelError(ModelError):
    """A stored model is not what it says it is, and is never loaded."""


class UnpromotedModelError(ModelError):
    """A model did not pass its check out of sample."""


class DecodeError(HeliographError):
    """A venue's frame could not be understood."""


class RefusedTickError(DecodeError):
    """One tick of a frame that was understood cannot be stored as it is."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"a tick was refused: {reason}")
        self.reason = reason


class UnsoundSignalError(HeliographError):
    """A kind told a signal that says what no signal may say."""


class FeedError(HeliographError):
    """A venue's feed broke or answered with an error."""

    retryable = True


class SubscriptionRefusedError(FeedError):
    """The venue refused what was subscribed to."""

    retryable = False


class UnresolvedNameError(FeedError):
    """The venue's name has no address here: DNS fails, or there is no network."""


class GeoBlockedError(FeedError):
    """The venue, or who stands before it, does not serve this machine's address."""

    retryable = False


class ProxyError(FeedError):
    """A proxy stands between us and the venue, and does not let us through."""

    retryable = False


class RateLimitedError(FeedError):
    """A venue, or our own budget for it, lets no request through before ``retry_after_seconds``."""

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        super().__init__(f"{message}; the next try is in {retry_after_seconds:.0f} s")
        self.retry_after_seconds = retry_after_seconds


class VenueUnavailableError(FeedError):
    """A venue's REST did not answer, or answered that it cannot."""


class VenueRefusedError(FeedError):
    """A venue's REST refused a request; the same one will be refused again."""

    retryable = False


class StoreError(HeliographError):
    """PostgreSQL refused or failed."""


class StoreUnavailableError(StoreError):
    """PostgreSQL cannot be reached, or the connection broke."""

    retryable = True


class StoreConflictError(StoreError):
    """A row with this key exists already."""


class StoreBusyError(StoreError):
    """A lock, a timeout, or a serialization failure; the same statement may pass later."""

    retryable = True


class ArchiveError(HeliographError):
    """What is to be dropped cannot be written to files first; room, or rights, are to be given."""

    retryable = True


class BusError(HeliographError):
    """Redis refused or failed."""


class BusUnavailableError(BusError):
    """Redis cannot be reached; everything goes on through PostgreSQL."""

    retryable = True


class StackError(HeliographError):
    """The one-machine stack could not be started or has failed."""
