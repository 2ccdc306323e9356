"""How all figures look: one style, colours that survive colour blindness and grey print."""

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar, get_args
from weakref import WeakSet

import matplotlib as mpl
import numpy as np
from jaxtyping import Bool, Num
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.layout_engine import PlaceHolderLayoutEngine
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, FuncFormatter, LogFormatter
from matplotlib.transforms import ScaledTranslation
from PIL import Image

from inverseq._core.errors import InputError
from inverseq._core.words import visible

Scale = Literal["plain", "signed", "log"]
"""How numbers become colours. "plain": dark is low (viridis). "signed": zero is grey, negative blue
and darker, positive yellow and lighter. "log": as "plain", in powers of ten, for visits."""

COLUMN_WIDTH, PAGE_WIDTH = 85 / 25.4, 180 / 25.4
"""Widths of a journal's column and of two columns, in inches."""

BLUE, VERMILION, GREEN, ORANGE, GREY = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#6B6B6B"
"""Okabe and Ito's colours, told apart by all common kinds of colour vision."""

SERIES = (BLUE, VERMILION, GREEN, ORANGE, "#CC79A7", "#56B4E9", "#000000", GREY)
"""Colours of curves, in order."""

MARKERS = "os^Dv<>P"
"""Their markers, so that no curve is told from another by colour alone."""

UNVISITED = "#E4E4E4"
WALL = "#3A3A3A"

SIGNED = LinearSegmentedColormap.from_list(
    "signed", ["#08245C", "#2F6DB0", "#B3B3B3", "#F2BC3D", "#FFF6A8"]
)
"""Blue to yellow through grey. Lightness rises all the way, so that grey print keeps the sign."""

_STYLE: Any = {
    "font.family": "sans-serif",
    # The first is drawn with; text in SVG falls back to what the reader's machine has.
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "Helvetica"],
    "font.size": 8.0,
    "axes.titlesize": 9.0,
    "axes.labelsize": 8.0,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "hatch.linewidth": 0.6,
    "lines.linewidth": 1.5,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "svg.hashsalt": "inverseq",
    "path.simplify": True,
    "text.parse_math": False,  # names are text, whatever they look like
    # As wide in PNG as in SVG and PDF: hinted for a screen of few dots, letters are narrower.
    "text.hinting": "none",
}

_LONGEST = 48
"""Letters of a line of text in a figure; tables have names in full."""

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def styled(draw: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Run `draw` in the house style and leave the caller's settings of Matplotlib as they were.

    Letters that the font lacks are boxes in PNG and PDF, which anybody sees, and letters in SVG:
    Matplotlib says of each that it is missing, in words of its own.
    """

    @wraps(draw)
    def inner(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with mpl.rc_context(_STYLE), warnings.catch_warnings():
            warnings.filterwarnings("ignore", r"Glyph \d+ ")
            return draw(*args, **kwargs)

    return inner


@styled
def canvas(
    width: float = COLUMN_WIDTH, height: float = 3.0, columns: int = 1, rows: int = 1
) -> tuple[Figure, list[Axes]]:
    """A figure of `width` x `height` inches with axes in `columns` and `rows`, no window.

    Returns:
        The figure, and its axes row by row.
    """
    figure = Figure(figsize=(width, height), layout="compressed")
    FigureCanvasAgg(figure)
    return figure, [figure.add_subplot(rows, columns, i + 1) for i in range(rows * columns)]


def own_axes(ax: Axes | None) -> Axes:
    """`ax`, or axes of a new figure of pyplot, which a notebook and `pyplot.show` show."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt  # opens a window system where there is one

    return plt.figure(figsize=(5.6, 3.6), layout="constrained").add_subplot()


@styled
def to_png(figure: Figure, dots_per_inch: int = 200) -> bytes:
    """The figure as PNG, without transparency where there is none."""
    stream = io.BytesIO()
    with _ready(figure, dots_per_inch):
        drawn = FigureCanvasAgg(figure)
        drawn.draw()
        pixels = np.asarray(drawn.buffer_rgba())
        opaque = pixels[..., 3].min() == 255
        # A level of 6, the usual, takes half as long again and makes files 4 % smaller.
        how = {"dpi": (dots_per_inch, dots_per_inch), "compress_level": 3}
        Image.fromarray(pixels[..., :3] if opaque else pixels).save(stream, "png", **how)
    return stream.getvalue()


@styled
def to_svg(figure: Figure) -> str:
    """The figure as SVG, text as text; the same figure gives the same bytes."""
    stream = io.StringIO()
    with _ready(figure):
        FigureCanvasSVG(figure).print_svg(stream, metadata={"Date": None, "Creator": None})
    return visible(stream.getvalue())


@styled
def to_pdf(figure: Figure) -> bytes:
    """The figure as PDF, text as text; the same figure gives the same bytes."""
    from matplotlib.backends.backend_pdf import FigureCanvasPdf  # loads a package for fonts

    stream = io.BytesIO()
    with _ready(figure), _letters_alone():
        FigureCanvasPdf(figure).print_pdf(stream, metadata={"CreationDate": None, "Creator": None})
    return stream.getvalue()


@contextmanager
def _letters_alone() -> Iterator[None]:
    """Fonts are embedded without their tables of ligatures, kerning and formulas: a PDF places each
    letter, and to read and cut these tables takes most of the time of a small figure.
    """
    from fontTools import subset

    usual = subset.load_font

    def bare(*args: Any, **kwargs: Any) -> Any:
        font = usual(*args, **kwargs)
        for table in ("GDEF", "GPOS", "GSUB", "MATH", "kern"):
            if table in font:
                del font[table]
        return font

    subset.load_font = bare
    try:
        yield
    finally:
        subset.load_font = usual


_SETTLED: WeakSet[Figure] = WeakSet()
"""Figures that were laid out here: where their labels are does not change any more."""


@contextmanager
def _ready(figure: Figure, dots_per_inch: float | None = None) -> Iterator[None]:
    """Everything in its place, once, so that all formats of a figure are the same; its canvas and
    its dots are its own again at the end. `savefig` would draw each format twice.
    """
    _take_names_literally(figure)
    engine = figure.get_layout_engine()
    if not isinstance(engine, PlaceHolderLayoutEngine | None):
        engine.execute(figure)
        figure.set_layout_engine("none")
        for axis in _sides_of(figure):
            _hold_label(axis, figure)
        _SETTLED.add(figure)
    own, dots = figure.canvas, figure.dpi
    ticks = _measured_in_vain(figure) if figure in _SETTLED else []
    try:
        figure.dpi = dots if dots_per_inch is None else dots_per_inch
        for text in ticks:
            text.set_in_layout(False)
        yield
    finally:
        for text in ticks:
            text.set_in_layout(True)
        figure.set_canvas(own)
        figure.dpi = dots


def _sides_of(figure: Figure) -> list[XAxis | YAxis]:
    """Axes that lie straight along a side."""
    both = (axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis))
    return [axis for axis in both if type(axis) in (XAxis, YAxis)]


def _hold_label(axis: XAxis | YAxis, figure: Figure) -> None:
    """The label stays as far from its axes as it is now."""
    box, place, away = axis.axes.bbox, np.array(axis.label.get_position()), np.zeros(2)
    across, start = (1, box.y0) if isinstance(axis, XAxis) else (0, box.x0)
    away[across] = (place[across] - start) / figure.dpi
    place[across] = 0.0
    moved = ScaledTranslation(away[0], away[1], figure.dpi_scale_trans)
    axis.set_label_coords(place[0], place[1], axis.axes.transAxes + moved)


def _measured_in_vain(figure: Figure) -> list[Text]:
    """Labels of ticks whose size nothing follows any more: Matplotlib measures each twice more
    whenever it draws, for labels, exponents and titles that may have to give way.
    """
    held = [
        axis
        for axis in _sides_of(figure)
        if not axis.offsetText.get_text()
        and (axis.get_ticks_position(), axis.get_label_position())
        in {("bottom", "bottom"), ("left", "left"), ("right", "right")}
    ]
    ticks = (tick for axis in held for tick in (*axis.majorTicks, *axis.minorTicks))
    labels = (text for tick in ticks for text in (tick.label1, tick.label2))
    return [text for text in labels if text.get_in_layout()]


def _take_names_literally(figure: Figure) -> None:
    """No formulas and no control characters in any text; powers of ten without formulas."""
    for text in figure.findobj(Text):
        text.set_parse_math(False)
        if (seen := shortened(text.get_text())) != text.get_text():
            text.set_text(seen)
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            formatter = axis.get_major_formatter()
            if isinstance(formatter, LogFormatter):
                axis.set_major_formatter(_Powers(labelOnlyBase=formatter.labelOnlyBase))
                axis.set_minor_formatter(_Powers())
            elif isinstance(formatter, FixedFormatter):
                formatter.seq = [shortened(str(name)) for name in formatter.seq]
            elif type(formatter) is FuncFormatter:  # of labels at given places
                axis.set_major_formatter(_Visible(formatter.func))


class _Visible(FuncFormatter):
    """Names as `shortened` gives them."""

    def __call__(self, x: Any, pos: int | None = None) -> str:
        return shortened(str(super().__call__(x, pos)))


def shortened(text: str, longest: int = _LONGEST) -> str:
    """A text with visible marks in place of control characters. A line that would leave no room for
    what is drawn loses its middle: names of boards and moves differ at their ends.
    """
    end = longest // 3
    return "\n".join(
        line if len(line) <= longest else f"{line[: longest - end]}…{line[-end:]}"
        for line in visible(text).split("\n")
    )


class _Powers(LogFormatter):
    """Powers of ten with raised digits, as text."""

    _RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

    def __call__(self, x: float, pos: int | None = None) -> str:
        if not super().__call__(x, pos):
            return ""
        power = np.log10(x)
        whole = np.isclose(power, round(power))
        return f"10{str(round(power)).translate(self._RAISED)}" if whole else f"{x:g}"


def colours(values: Num[np.ndarray, " S"], scale: Scale) -> ScalarMappable:
    """Colours for `values`; those that are not finite do not count for the range.

    Raises:
        InputError: There is no such scale.
    """
    if scale not in get_args(Scale):
        raise InputError(f"scale must be one of {get_args(Scale)}; got {scale!r}")
    finite = np.asarray(values, dtype=float)[np.isfinite(values)]
    if scale == "log":
        positive = finite[finite > 0]
        low, high = (positive.min(), positive.max()) if positive.size else (1.0, 1.0)
        return ScalarMappable(LogNorm(low, max(high, low * 10)), "viridis")
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
    if scale == "signed":
        reach = max(abs(low), abs(high)) or 1.0
        return ScalarMappable(Normalize(-reach, reach), SIGNED)
    return ScalarMappable(Normalize(low, high if high > low else low + 1.0), "viridis")


def ink_on(colour: Any) -> str:
    """Black or white, whichever can be read on `colour` (relative luminance, WCAG 2)."""
    rgb = np.asarray(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return "black" if linear @ np.array([0.2126, 0.7152, 0.0722]) > 0.179 else "white"


def colour_bar(ax: Axes, mappable: ScalarMappable, label: str) -> None:
    """A slim bar that says what the colours of `ax` mean."""
    bar = ax.figure.colorbar(mappable, ax=ax, shrink=0.75, aspect=22, pad=0.02)
    bar.set_label(label)
    bar.outline.set_linewidth(0.6)  # pyright: ignore[reportCallIssue]


def seen_states(
    values: Num[np.ndarray, " S"], visits: Num[np.ndarray, " S"] | None
) -> Bool[np.ndarray, " S"]:
    """States that are painted: with a finite value, and visited where visits are known."""
    known = np.isfinite(values)
    return known if visits is None else known & (visits > 0)


def bare(ax: Axes) -> None:
    """Leave only what is drawn: no ticks, no frame, equal scales."""
    ax.set_aspect("equal")
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)


@styled
def name_place(ax: Axes, at: Num[np.ndarray, " 2"], name: str, colour: str = "black") -> None:
    """A ring around a place and its name to the right, readable on any colour."""
    x, y = at
    ax.plot([x], [y], marker="o", ms=6.0, mfc="white", mec=colour, mew=1.8, zorder=6)
    # An outline would turn the letters of an SVG into shapes.
    paper = {"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
    look = {"fontsize": 8.0, "fontweight": "bold", "va": "center", "bbox": paper}
    ax.text(x + 0.6, y, name, color=colour, ha="left", zorder=7, **look)
