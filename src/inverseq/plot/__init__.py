"""Figures: functions of arrays that draw on `ax`, or on axes of their own, and return the axes.

They never fit and never read files.
"""

from inverseq.plot.charts import animals, curves, intervals, learning_curve, reward_scatter, scores
from inverseq.plot.components import component_map, reliability
from inverseq.plot.intentions import intention_bands, intention_path, occupancy_bars
from inverseq.plot.intentions_choice import choice_points, predictive_checks
from inverseq.plot.intentions_law import dwell_histogram, transition_matrix
from inverseq.plot.labyrinth import labyrinth_floor, labyrinth_map
from inverseq.plot.maps import grid_map, occupancy, state_action_map
from inverseq.plot.networks import network_map
from inverseq.plot.neural import act_times, by_fold, embedding, raster, relation_map, told_over_time
from inverseq.plot.style import canvas, to_pdf, to_png, to_svg
from inverseq.plot.walk import walk

__all__ = [
    "act_times",
    "animals",
    "by_fold",
    "canvas",
    "choice_points",
    "component_map",
    "curves",
    "dwell_histogram",
    "embedding",
    "grid_map",
    "intention_bands",
    "intention_path",
    "intervals",
    "labyrinth_floor",
    "labyrinth_map",
    "learning_curve",
    "network_map",
    "occupancy",
    "occupancy_bars",
    "predictive_checks",
    "raster",
    "relation_map",
    "reliability",
    "reward_scatter",
    "scores",
    "state_action_map",
    "to_pdf",
    "to_png",
    "to_svg",
    "told_over_time",
    "transition_matrix",
    "walk",
]
