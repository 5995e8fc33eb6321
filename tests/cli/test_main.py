"""The command line answers fast, in one line, with the right exit code."""

import resource
import subprocess
import sys

import pytest

from wirbel import __version__
from wirbel.cli.exit import ExitCode, guarded
from wirbel.cli.main import run
from wirbel.errors import DeliveryError, InputRejected, MissingExtra, ModelError, UsageError, WirbelError

HEAVY = ("numpy", "scipy", "pydicom", "nibabel", "onnxruntime", "torch", "matplotlib", "jinja2", "skimage")


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from wirbel.cli.main import run; code = run(['--help']); "
        f"print(code, sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    assert python("-c", code).stdout.splitlines()[-1] == "0 []"


def test_help_takes_less_than_three_tenths_of_a_second():
    """Processor time, the smallest of several runs: other work on the machine must not fail this."""

    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        python("-c", "from wirbel.cli.main import main; main()", "--help")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(5)) < 0.3


def test_version_is_printed(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"wirbel {__version__}\n"


@pytest.mark.parametrize("arguments", [["nonsense"], ["info", "--nonsense"], ["analyze"]])
def test_wrong_usage_is_two(arguments, capsys):
    assert run(arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("u"), 2),
        (MissingExtra("m"), 2),
        (InputRejected("i"), 3),
        (ModelError("b"), 4),
        (DeliveryError("d"), 5),
        (OSError(28, "No space left on device"), 5),
        (KeyboardInterrupt(), 130),
        (SystemExit(143), 143),
    ],
)
def test_every_error_has_its_exit_code_and_one_line_at_most(error, code, capsys):
    def fail() -> None:
        raise error

    assert guarded(fail) == code
    err = capsys.readouterr().err
    assert err.count("\n") <= 1
    if isinstance(error, WirbelError):
        assert err == f"wirbel: {error}\n"


def test_a_defect_of_ours_is_one_line_without_the_words_of_the_exception(capsys, monkeypatch):
    monkeypatch.delenv("WIRBEL_DEBUG", raising=False)

    def fail() -> None:
        raise ValueError("Mustermann^Max")

    assert guarded(fail) == ExitCode.UNEXPECTED
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "ValueError" in err
    assert "Mustermann" not in err


def test_the_traceback_of_a_defect_can_be_asked_for(monkeypatch):
    monkeypatch.setenv("WIRBEL_DEBUG", "1")

    def fail() -> None:
        raise ValueError("defect")

    with pytest.raises(ValueError, match="defect"):
        guarded(fail)


def test_a_closed_pipe_is_no_error():
    code = "from wirbel.cli.main import main; import sys; sys.argv=['wirbel','info']; main()"
    first = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert first.stdout is not None
    first.stdout.close()
    _, err = first.communicate(timeout=60)
    assert b"Traceback" not in err


def test_completion_is_offered_for_the_common_shells():
    for shell in ("bash", "zsh", "fish"):
        done = subprocess.run(
            [sys.executable, "-c", "from wirbel.cli.main import main; main()"],
            capture_output=True,
            text=True,
            check=False,
            env={"_WIRBEL_COMPLETE": f"source_{shell}", "PATH": "/usr/bin:/bin"},
            timeout=60,
        )
        assert "_WIRBEL_COMPLETE" in done.stdout, shell
