"""Where games go."""

import pytest


@pytest.fixture
def path(tmp_path):
    """A file of games that is not there yet."""
    return tmp_path / "games.parquet"
