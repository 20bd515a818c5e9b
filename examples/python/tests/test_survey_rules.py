"""The counting rules, held to the vectors that all languages share."""

import base64
import json
from pathlib import Path

import pytest
from survey_rules import Counts, count, language_of

VECTORS = json.loads((Path(__file__).parents[2] / "survey-vectors.json").read_text("utf-8"))


def test_there_are_vectors() -> None:
    assert len(VECTORS) >= 25


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_counts_as_the_vector_says(vector: dict) -> None:
    content = base64.b64decode(vector["content_base64"])
    wanted = Counts(*(vector[name] for name in ("lines", "declarations", "imports", "todos")))
    assert count(vector["language"], content) == wanted


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a/b.kt", "java"),
        ("b.py", "python"),
        ("x.d.ts", "javascript"),
        ("x.hpp", "c"),
        ("x.PY", "other"),
        ("dir.go/file", "other"),
        ("Makefile", "other"),
        (".sh", "shell"),
        ("x.", "other"),
    ],
)
def test_the_last_extension_names_the_language(path: str, language: str) -> None:
    assert language_of(path) == language
