import io
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from fontTools import subset
from matplotlib.text import Text
from PIL import Image

from inverseq import InputError
from inverseq._core.words import visible
from inverseq.plot import canvas, grid_map, state_action_map, to_pdf, to_png, to_svg
from inverseq.plot.style import SIGNED, colours, ink_on, shortened


def lightness(rgb):
    """CIE L* of sRGB colours `[N, 3]`."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    y = linear @ [0.2126, 0.7152, 0.0722]
    return np.where(y > 216 / 24389, 116 * np.cbrt(y) - 16, y * 24389 / 27)


@pytest.mark.parametrize("name", ["signed", "viridis"])
def test_lightness_rises_along_each_map_so_that_grey_print_keeps_the_order(name):
    cmap = SIGNED if name == "signed" else mpl.colormaps[name]
    levels = lightness(cmap(np.linspace(0, 1, 64))[:, :3])
    assert (np.diff(levels) > 0).all()
    assert levels[-1] - levels[0] > 60


def test_zero_is_the_middle_of_a_signed_scale_and_ranges_ignore_what_is_not_finite():
    shades = colours(np.array([-1.0, 4.0, np.nan]), "signed")
    assert shades.norm(0.0) == pytest.approx(0.5)
    assert (shades.norm.vmin, shades.norm.vmax) == (-4.0, 4.0)
    plain = colours(np.array([np.inf, 2.0, 5.0]), "plain")
    assert (plain.norm.vmin, plain.norm.vmax) == (2.0, 5.0)


@pytest.mark.parametrize("scale", ["plain", "signed", "log"])
@pytest.mark.parametrize("values", [[], [np.nan], [0.0, 0.0], [3.0]])
def test_degenerate_ranges_still_give_colours(scale, values):
    assert np.isfinite(colours(np.array(values, dtype=float), scale).to_rgba([1.0])).all()


@pytest.mark.parametrize("grey", np.linspace(0, 1, 11))
def test_ink_is_readable_on_any_grey(grey):
    linear = ((grey + 0.055) / 1.055) ** 2.4 if grey > 0.04045 else grey / 12.92
    other = 1.0 if ink_on((grey,) * 3) == "white" else 0.0
    contrast = (max(linear, other) + 0.05) / (min(linear, other) + 0.05)
    assert contrast >= 4.5  # WCAG 2 AA


def drawn():
    figure, (ax,) = canvas(2.0, 2.0)
    grid_map(np.array([[0, 0], [1, 0]]), np.array([1.0, 2.0]), ax=ax, label="value")
    return figure


def test_settings_of_matplotlib_are_left_alone():
    before = dict(mpl.rcParams)
    to_png(drawn())
    assert dict(mpl.rcParams) == before


def test_a_scale_that_is_none_is_refused():
    with pytest.raises(InputError, match=r"scale must be one of .*; got 'sined'"):
        colours(np.array([1.0]), "sined")


def test_the_same_figure_gives_the_same_bytes_and_svg_is_well_formed():
    first, second = to_svg(drawn()), to_svg(drawn())
    assert first == second
    assert ElementTree.fromstring(first).tag == "{http://www.w3.org/2000/svg}svg"
    assert to_png(drawn()) == to_png(drawn())
    assert to_pdf(drawn()) == to_pdf(drawn())


def test_png_has_the_size_asked_for():
    png = to_png(drawn(), dots_per_inch=150)
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(png[16:20]), int.from_bytes(png[20:24])) == (300, 300)


def test_pyplot_is_not_loaded_for_a_canvas():
    code = (
        "import inverseq.plot as p, sys; p.to_png(p.canvas()[0]); "
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_long_names_that_differ_at_an_end_still_do():
    board = "0" * 100
    names = [f"state {board}: action {move} - left" for move in ("up", "down")]
    cut = [shortened(name) for name in names]
    assert len({*cut}) == 2
    assert cut[0].startswith("state 000")
    assert cut[0].endswith("action up - left")
    assert shortened("a" * 48) == "a" * 48
    assert len(shortened("a" * 49)) == 49  # 48 letters and a mark


def test_a_pdf_holds_letters_and_leaves_the_settings_of_fonts_alone():
    kept = subset.load_font
    figure, (ax,) = canvas(2, 2)
    ax.set_title("größer − Ω")
    pdf = to_pdf(figure)
    assert subset.load_font is kept
    assert pdf.startswith(b"%PDF")
    assert b"/ToUnicode" in pdf


def with_labels():
    """A figure with labels along all sides, one exponent, and numbers of different widths."""
    figure, (left, right) = canvas(5, 2, columns=2)
    for ax, top in ((left, 1.0), (right, 3e8)):
        ax.plot([0, 1], [0, top])
        ax.set_xlabel("time")
        ax.set_ylabel("value")
    right.yaxis.tick_right()
    right.yaxis.set_label_position("right")
    return figure


def test_labels_stay_where_the_layout_put_them_in_every_format(monkeypatch):
    figure = with_labels()
    labels = [axis.label for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)]
    to_svg(figure)
    figure.draw_without_rendering()
    place = [text.get_window_extent().get_points().mean(0) / figure.dpi for text in labels]
    seen = []
    draw = Text.draw

    def watched(text, renderer):
        if text in labels:
            middle = text.get_window_extent(renderer).get_points().mean(0)
            seen.append(middle / text.get_figure().dpi)
        draw(text, renderer)

    monkeypatch.setattr(Text, "draw", watched)
    to_png(figure, dots_per_inch=300)
    assert np.allclose(seen, place, atol=0.01)  # inches: less than a point


def test_labels_of_ticks_are_measured_for_the_layout_alone(monkeypatch):
    figure = with_labels()
    to_svg(figure)
    (left, right), measured = figure.axes, []
    extent = Text.get_window_extent
    monkeypatch.setattr(
        Text,
        "get_window_extent",
        lambda text, *a, **k: measured.append(text) or extent(text, *a, **k),
    )
    to_pdf(figure)
    ticks = [{t.label1 for t in ax.yaxis.majorTicks} for ax in (left, right)]
    assert not ticks[0].intersection(measured)
    labels = [
        text
        for ax in figure.axes
        for axis in (ax.xaxis, ax.yaxis)
        for text in axis.get_ticklabels()
    ]
    assert all(text.get_in_layout() for text in labels)  # as they were, for whoever draws it next


def test_a_png_is_transparent_only_where_the_figure_is():
    modes = []
    for colour in ("white", "none"):
        figure = drawn()
        figure.set_facecolor(colour)
        modes.append(Image.open(io.BytesIO(to_png(figure))).mode)
    assert modes == ["RGB", "RGBA"]


def test_numbers_in_squares_take_no_room():
    _, (ax,) = canvas(2.0, 2.0)
    values = np.array([1.0, 2.0])
    grid_map(np.array([[0, 0], [1, 0]]), values, digits=1, ax=ax)
    state_action_map(values[:, None], ["a", "b"], ["x"], ax=ax)
    assert not any(text.get_in_layout() for text in ax.texts)


NAMES = ("$$", "$x_{$", r"$\\frac{$", "bell\x07", "esc\x1b[31m", "a$b$c", "\x00", "𝛼 größe")


@pytest.mark.parametrize("name", NAMES)
def test_names_are_text_and_pictures_are_whole(name):
    figure, (left, right) = canvas(5, 2, columns=2)
    left.set_xticks([0, 1], [name, "plain"])
    left.set_title(name)
    left.plot([0, 1], [1, 1000], label=name)
    left.legend()
    right.text(0.5, 0.5, name)
    right.set_yscale("log")
    right.set_ylim(1, 1e4)
    ElementTree.fromstring(to_svg(figure))
    assert to_png(figure)
    drawn = {text.get_text() for text in figure.findobj(Text)}
    assert visible(name) in drawn
    assert "10³" in drawn
