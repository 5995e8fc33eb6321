"""How the command ends: an exit code for every outcome, one line for every error, never a traceback unasked."""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
from types import FrameType

from wirbel.errors import WirbelError

#: Environment variable that asks for the traceback of an unexpected error.
DEBUG = "WIRBEL_DEBUG"


class ExitCode(IntEnum):
    """What the shell gets; errors carry their own (`WirbelError.exit_code`)."""

    DONE = 0
    SOME_FAILED = 1
    USAGE = 2
    INPUT_REFUSED = 3
    MODEL = 4
    READING_OR_WRITING = 5
    UNEXPECTED = 70
    """A defect of ours (`EX_SOFTWARE` of sysexits.h)."""
    INTERRUPTED = 130
    PIPE_CLOSED = 141
    TERMINATED = 143


def guarded(command: Callable[[], object]) -> int:
    """Run a command that ends in `SystemExit`, an error or normally; the exit code."""
    try:
        command()
    except SystemExit as exc:
        return exc.code if isinstance(exc.code, int) else ExitCode.DONE
    except KeyboardInterrupt:
        return tell("interrupted; nothing half-written is left", ExitCode.INTERRUPTED)
    except BrokenPipeError:
        _swallow_the_pipe()
        return ExitCode.PIPE_CLOSED
    except Exception as exc:
        if os.environ.get(DEBUG) and not isinstance(exc, WirbelError):
            raise
        return tell(*line_of(exc))
    return ExitCode.DONE


def line_of(exc: Exception) -> tuple[str, int]:
    """An error in one line, and its exit code.

    Only our own errors speak for themselves; the words of others may hold patient data or paths.
    """
    if isinstance(exc, WirbelError):
        return str(exc), exc.exit_code
    if isinstance(exc, OSError):
        return f"reading or writing failed: {exc.strerror or type(exc).__name__}", ExitCode.READING_OR_WRITING
    if isinstance(exc, MemoryError):
        return "not enough memory for this input", ExitCode.READING_OR_WRITING
    return (
        f"unexpected {type(exc).__name__}: this is a defect of wirbel, please report it "
        f"({DEBUG}=1 shows where it happened)"
    ), ExitCode.UNEXPECTED


def tell(message: str, code: int) -> int:
    """One line on standard error; gives the code back."""
    with suppress(OSError):
        sys.stderr.write(f"wirbel: {' '.join(message.split())}\n")
        sys.stderr.flush()
    return code


def end_cleanly_when_terminated() -> None:
    """Have SIGTERM unwind the stack, so that temporary folders go."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(ExitCode.TERMINATED)

    signal.signal(signal.SIGTERM, stop)


def _swallow_the_pipe() -> None:
    """Nobody reads any more: have the interpreter's last flush go nowhere."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
