"""What can go wrong, each with the exit code of the command line.

Every message says what is wrong, what was got, the limit, and what to do. None holds patient data.
"""

from importlib import import_module
from types import ModuleType


class WirbelError(Exception):
    """Base of all errors a user may see; `exit_code` is the command line's answer."""

    exit_code = 1


class UsageError(WirbelError):
    """The command was called in a way it cannot serve."""

    exit_code = 2


class MissingExtra(UsageError):
    """An optional dependency is not installed; the message names the extra."""


class InputRejected(WirbelError):
    """An input is refused; `code` is an enumerated reason (see `wirbel.ingest.refusal`)."""

    exit_code = 3

    def __init__(self, message: str, *, code: str = "INPUT_REJECTED") -> None:
        super().__init__(message)
        self.code = code


class GeometryError(InputRejected):
    """A grid, an affine or a slice arrangement that is no geometry."""

    def __init__(self, message: str, *, code: str = "GEOMETRY") -> None:
        super().__init__(message, code=code)


class ModelError(WirbelError):
    """A network bundle is missing, damaged or does not fit."""

    exit_code = 4


class DeliveryError(WirbelError):
    """Reading, writing or delivering failed; nothing half-written is left."""

    exit_code = 5


class ClusterError(WirbelError):
    """A cluster cannot be used: nobody answers, or its workers have another wirbel or see other files."""

    exit_code = 5


def require(module: str, *, extra: str, feature: str) -> ModuleType:
    """Import an optional dependency, or say which extra brings it (`MissingExtra`)."""
    try:
        return import_module(module)
    except ImportError as exc:
        raise MissingExtra(f"{feature} needs {module}: pip install 'wirbel[{extra}]'") from exc
