"""Fixtures that every room's tests share."""

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of reference values and public data; tests that need it are skipped where it is absent."""
    folder = (PROJECT / os.environ.get("QIEVAL_REFERENCE", "../shared")).resolve()
    if not folder.is_dir():
        pytest.skip("the reference folder is absent: set QIEVAL_REFERENCE to run this test")
    return folder
