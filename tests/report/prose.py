"""Every line of English that the code can put into a result, read from its source and filled with figures."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import wirbel
from wirbel.finding import ContrastPhase
from wirbel.vertebra import Reason
from wirbel.volume import Kernel

SOURCE = Path(wirbel.__file__).parent
#: Figures by the format they are written with, so many that one line holds none twice.
FIGURES = {
    ".0f": ("17", "-208", "33", "941", "66"), ".1f": ("3.4", "12.0", "5.1", "0.7", "8.9"), "+d": ("+1", "-2", "+3"),
}  # fmt: skip
#: What stands for an expression that is no figure of a format, by its end.
EXPRESSIONS = {
    ".name": ("L2", "T12", "C7", "T3", "L5"),
    "phase.value": tuple(ContrastPhase),
    "kernel.value": tuple(Kernel),
    ".join(given)": ("T12, L1", "L2"),
}
#: Expressions without a format that are counts, by their beginning.
COUNTS = ("len(", "int(", "named.label")


@dataclass(frozen=True, slots=True)
class Line:
    """A line that the code writes, and where."""

    words: str
    where: str
    reason: Reason | None = None


def details() -> tuple[Line, ...]:
    """The second argument of every `NotMeasured(...)`."""
    found = []
    for path, function in _functions(SOURCE):
        for call in _calls(function, "NotMeasured"):
            given = call.args[1:2] + [k.value for k in call.keywords if k.arg == "detail"]
            if not given:
                continue
            reason = Reason[call.args[0].attr] if isinstance(call.args[0], ast.Attribute) else None
            found += [Line(w, _place(path, call), reason) for w in _filled(given[0], function) if w]
    return tuple(found)


def anchors() -> tuple[Line, ...]:
    """What the rooms of the spine append to the anchors, or say of names that fail."""
    return (
        *_spoken("spine/anchors.py"), *_spoken("spine/own_names.py"), *_spoken("spine/naming.py"),
        *_spoken("spine/shift.py"),
    )  # fmt: skip


def _spoken(name: str) -> Iterator[Line]:
    """All strings of a module that read as prose, but for its docstrings, errors and what it looks for."""
    for path, function in _functions(SOURCE / name):
        silent = {
            id(inner)
            for node in ast.walk(function)
            if isinstance(node, ast.Raise)
            or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
            or (isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".startswith"))
            for inner in ast.walk(node)
        }
        lines = [node for node in ast.walk(function) if isinstance(node, ast.JoinedStr | ast.BinOp)]
        parts = {id(inner) for line in lines for inner in ast.walk(line) if inner is not line}
        named = {inner.id for line in lines for inner in ast.walk(line) if isinstance(inner, ast.Name)}
        parts |= {id(i) for name, node in _assigned(function).items() if name in named for i in ast.walk(node)}
        for node in ast.walk(function):
            whole = isinstance(node, ast.JoinedStr | ast.BinOp | ast.Constant) and id(node) not in silent | parts
            words = _filled(node, function) if whole and _is_prose(node) else ()
            yield from (Line(w, _place(path, node)) for w in words)


def _is_prose(node: ast.AST) -> bool:
    return any(
        isinstance(inner, ast.Constant) and isinstance(inner.value, str) and " " in inner.value
        for inner in ast.walk(node)
    )


def _functions(path: Path) -> Iterator[tuple[Path, ast.FunctionDef]]:
    for each in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
        for node in ast.walk(ast.parse(each.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield each, node


def _calls(function: ast.FunctionDef, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            yield node


def _assigned(function: ast.FunctionDef) -> dict[str, ast.expr]:
    return {
        node.targets[0].id: node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and _is_prose(node.value)
    }


def _filled(node: ast.expr, function: ast.FunctionDef) -> tuple[str, ...]:
    """Every string an expression can become; fails where an expression is not known here."""
    assigned = _assigned(function)
    found: tuple[str, ...]
    match node:
        case ast.Constant(value=str() as words):
            found = (words,)
        case ast.IfExp():
            found = (*_filled(node.body, function), *_filled(node.orelse, function))
        case ast.BinOp(op=ast.Add()):
            found = _together([_filled(node.left, function), _filled(node.right, function)])
        case ast.JoinedStr():
            found = _together([_filled(part, function) for part in node.values])
        case ast.FormattedValue(format_spec=ast.JoinedStr() as spec):
            found = FIGURES[ast.unparse(spec)[2:-1]]
        case ast.FormattedValue():
            found = _filled(node.value, function)
        case ast.Name() if node.id in assigned:
            found = _filled(assigned[node.id], function)
        case _:
            found = _standing_for(ast.unparse(node))
    return found


def _standing_for(expression: str) -> tuple[str, ...]:
    for end, values in EXPRESSIONS.items():
        if expression.endswith(end):
            return values
    assert expression.startswith(COUNTS), f"say in tests/report/prose.py what stands for {expression!r}"
    return ("5", "27", "1")


def _together(parts: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Each value of each part at least once: the n-th of all, shorter ones repeated."""
    rows = max(len(part) for part in parts)
    return tuple("".join(part[(i + k) % len(part)] for k, part in enumerate(parts)) for i in range(rows))


def _place(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(SOURCE)}:{getattr(node, 'lineno', 0)}"
