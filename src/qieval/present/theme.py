"""The look of every figure, in one place; nothing global is changed."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Drawing
from matplotlib.text import Text
from PIL import Image

from qieval.present.display import Figure
from qieval.present.fonts import SCRIPTS, noto_fonts

# Blue, vermilion and black are told apart with any colour vision; the others serve as fills only.
BLUE, VERMILION, BLACK, GREY = "#0072B2", "#D55E00", "#1a1a1a", "#595959"
SKY, SAND, BAND = "#56B4E9", "#F0E0C8", "#EAF2FA"
WIDTH = 7.6  # inches; the page is as wide
DOTS_PER_INCH = 200

FONT = "DejaVu Sans"  # matplotlib's own, so that figures agree everywhere


@lru_cache(maxsize=1)
def _fallback_fonts() -> list[str]:
    """Noto for the scripts that our font lacks, where it is installed; also since matplotlib last made its list."""
    installed = set(font_manager.get_font_names())
    for script, file in noto_fonts().items():
        if f"Noto Sans {script}" not in installed:
            with suppress(OSError, RuntimeError):  # a file that is no font, whatever its name
                font_manager.fontManager.addfont(file)
    installed = set(font_manager.get_font_names())
    return [name for script in SCRIPTS if (name := f"Noto Sans {script}") in installed]


# Said under a figure, since its reader ought to know, and the one who makes it can mend it.
BOXES = "Letters that no font of this computer can draw are boxes: install the Noto font of their script."


@contextmanager
def drawing(height: float, *, width: float = WIDTH) -> Iterator[Drawing]:
    """A figure of so many inches to draw on, with the theme in force."""
    settings: dict[Any, Any] = {
        # From matplotlib's own beginnings, since a matplotlibrc in the current folder is in no report's key.
        **{name: value for name, value in mpl.rcParamsDefault.items() if name != "backend"},
        "font.family": FONT,
        "font.size": 9.5,
        "axes.titlesize": 9.5,
        "axes.labelsize": 9.5,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": GREY,
        "axes.labelcolor": BLACK,
        "xtick.color": GREY,
        "ytick.color": GREY,
        "xtick.labelcolor": BLACK,
        "ytick.labelcolor": BLACK,
        "lines.linewidth": 1.4,
        "svg.fonttype": "path",  # a reader's machine need not have the font
        "svg.hashsalt": "qieval",  # the same figure gives the same file
        # A name with a dollar sign is a name, not mathematics.
        "text.parse_math": False,
    }
    with mpl.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # the caption says it, once
        yield Drawing(figsize=(width, height), layout="constrained")


def finished(figure: Drawing, *, name: str, alt: str, caption: str) -> Figure:
    """The drawing as a `Figure`; call it inside `drawing`."""
    svg, png, lacking = _drawn(figure)
    if lacking:
        for text in figure.findobj(Text):
            text.set_fontfamily([FONT, *_fallback_fonts()])
        svg, png, lacking = _drawn(figure)
    caption = f"{caption} {BOXES}" if lacking else caption
    return Figure(name=name, alt=alt, caption=caption, svg=svg, png=png)


_LACKING = re.compile(r"Glyph (\d+) .* missing from font")


def _drawn(figure: Drawing) -> tuple[str, bytes, set[str]]:
    """The drawing in two formats, and the letters that its fonts lack."""
    svg, png = io.StringIO(), io.BytesIO()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        # The layout is found once for both formats, and each is drawn once: `savefig` would draw everything twice.
        if (engine := figure.get_layout_engine()) is not None:
            engine.execute(figure)
            figure.set_layout_engine("none")
        FigureCanvasSVG(figure).print_svg(svg, metadata={"Date": None, "Creator": None})
        figure.dpi, usual = DOTS_PER_INCH, figure.dpi
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        figure.dpi = usual
        figure.set_layout_engine(engine)
    lacking = set()
    for one in said:
        if found := _LACKING.match(str(one.message)):
            lacking.add(chr(int(found[1])))
        else:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
    drawn = Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba())
    # Opaque, and packed less hard than by default: a tenth smaller, in half the time.
    drawn.convert("RGB").save(png, "png", compress_level=3, dpi=(DOTS_PER_INCH, DOTS_PER_INCH))
    return svg.getvalue(), png.getvalue(), {letter for letter in lacking if letter.isprintable()}


def spread(positions: list[float], gap: float) -> list[float]:
    """Positions moved apart until no two are closer than `gap`, each as near to its own as that allows."""
    order = sorted(range(len(positions)), key=lambda index: positions[index])
    groups: list[tuple[list[int], float]] = []  # neighbours that touch, and the centre of the group
    for index in order:
        members, centre = [index], positions[index]
        while groups and centre - (len(members) - 1) * gap / 2 < groups[-1][1] + len(groups[-1][0]) * gap / 2 + gap / 2:
            before, _ = groups.pop()
            members = before + members
            centre = sum(positions[i] for i in members) / len(members)
        groups.append((members, centre))
    moved = list(positions)
    for members, centre in groups:
        for rank, index in enumerate(members):
            moved[index] = centre + (rank - (len(members) - 1) / 2) * gap
    return moved
