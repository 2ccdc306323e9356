"""Figures: functions of arrays that draw on an axis. They never fit and never read files."""

from inverseq.plot.charts import curves, intervals, learning_curve, reward_scatter, scores
from inverseq.plot.labyrinth import labyrinth_map
from inverseq.plot.maps import grid_map, occupancy, state_action_map
from inverseq.plot.style import canvas, to_png, to_svg

__all__ = [
    "canvas",
    "curves",
    "grid_map",
    "intervals",
    "labyrinth_map",
    "learning_curve",
    "occupancy",
    "reward_scatter",
    "scores",
    "state_action_map",
    "to_png",
    "to_svg",
]
