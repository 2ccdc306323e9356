"""Words for how relations are judged, apart from all that takes long to load, for help."""

from typing import Literal

Null = Literal["shift", "exchange"]
Correction = Literal["max", "holm", "bh"]
