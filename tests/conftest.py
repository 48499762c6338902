"""Every test session has its own home, so that no test reads or writes a person's runs."""

import os
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"

if SHARED.is_dir():
    os.environ.setdefault("HOURGLASS_DATA", str(SHARED))


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    os.environ["HOURGLASS_HOME"] = str(folder)
    return folder
