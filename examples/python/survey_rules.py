"""Counts lines, declarations, imports and todos as survey-rules.md says, on bytes."""

from __future__ import annotations

import os.path
import re
from collections.abc import Callable
from dataclasses import dataclass

_BLANKS = b" \t\r\f\v"
_EXTENSIONS = {
    ".java": "java",
    ".kt": "java",
    ".py": "python",
    ".go": "go",
    ".js": "javascript",
    ".mjs": "javascript",
    ".ts": "javascript",
    ".tsx": "javascript",
    ".jsx": "javascript",
    ".c": "c",
    ".h": "c",
    ".cc": "c",
    ".cpp": "c",
    ".hpp": "c",
    ".rs": "rust",
    ".lua": "lua",
    ".sh": "shell",
    ".proto": "proto",
}
_JAVA_TYPE = re.compile(
    rb"(?<![A-Za-z0-9_])(?:class|interface|enum|record)(?![A-Za-z0-9_])"
)

_LineTest = Callable[[bytes], bool]


@dataclass(frozen=True)
class Counts:
    """What one file holds."""

    lines: int
    declarations: int
    imports: int
    todos: int


def language_of(path: str) -> str:
    """Names the language of a file by the last extension of its name."""
    name = os.path.basename(path)
    dot = name.rfind(".")
    return _EXTENSIONS.get(name[dot:], "other") if dot >= 0 else "other"


def count(language: str, content: bytes) -> Counts:
    """Counts one file; an unknown language has neither declarations nor imports."""
    lines = content.split(b"\n")
    if not lines[-1]:
        lines.pop()
    stripped = [line.strip(_BLANKS) for line in lines]
    declares = _DECLARATIONS.get(language, _never)
    imports = (
        _go_imports(stripped)
        if language == "go"
        else sum(map(_IMPORTS.get(language, _never), stripped))
    )
    return Counts(
        lines=len(lines),
        declarations=sum(map(declares, stripped)),
        imports=imports,
        todos=sum(b"TODO" in line or b"FIXME" in line for line in stripped),
    )


def _never(_: bytes) -> bool:
    return False


def _starts(*prefixes: bytes) -> _LineTest:
    return lambda line: line.startswith(prefixes)


def _declares_java(line: bytes) -> bool:
    return (
        b"{" in line
        and not line.startswith((b"*", b"//", b"/*"))
        and _JAVA_TYPE.search(line) is not None
    )


def _go_imports(lines: list[bytes]) -> int:
    found = 0
    in_block = False
    for line in lines:
        if in_block:
            if line == b")":
                in_block = False
            elif line and not line.startswith(b"//"):
                found += 1
        elif line.startswith(b"import ("):
            in_block = True
        elif line.startswith(b"import "):
            found += 1
    return found


_IMPORTS: dict[str, _LineTest] = {
    "java": _starts(b"import "),
    "python": _starts(b"import ", b"from "),
    "javascript": lambda line: line.startswith(b"import ") or b"require(" in line,
    "c": _starts(b"#include"),
    "rust": _starts(b"use "),
    "lua": lambda line: b"require(" in line or b"require " in line,
    "shell": _starts(b"source ", b". "),
    "proto": _starts(b"import "),
}
_DECLARATIONS: dict[str, _LineTest] = {
    "java": _declares_java,
    "python": _starts(b"def ", b"async def ", b"class "),
    "go": _starts(b"func ", b"type "),
    "javascript": _starts(b"function ", b"class ", b"export "),
    "c": _starts(b"struct ", b"typedef ", b"enum ", b"#define "),
    "rust": _starts(b"fn ", b"pub ", b"struct ", b"enum ", b"impl ", b"trait "),
    "lua": _starts(b"function ", b"local function "),
    "shell": lambda line: line.endswith(b"() {"),
    "proto": _starts(b"message ", b"service ", b"enum ", b"rpc "),
}
