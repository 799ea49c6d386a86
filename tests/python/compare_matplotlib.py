"""Compares the speed of this project's pictures with the Python way, in one run.

    python3 -m venv /tmp/compare && /tmp/compare/bin/pip install matplotlib pillow
    cargo build --release -p vrrl-generators --example drawings
    /tmp/compare/bin/python tests/python/compare_matplotlib.py target/release/examples/drawings

On one thread each, and ours on all cores beside (matplotlib has no threads; as many processes would scale it, too).
The example times pictures "from nothing": content and layout drawn from a seed, pixels, PNG bytes in memory. It
prints where every text, rule and mark stands, and matplotlib then draws the same texts, rules and marks on a picture
of the same size, also to PNG bytes in memory. Not the same, and what that does:

- matplotlib gets content and layout for free, and plain artists on a bare figure: its own axes with ticks,
  `tight_layout` or `ax.table` would cost it more (`ax.table` and `ax.bar` are timed beside it);
- both antialias, matplotlib with 256 levels, this project with 16; fonts are of the same size, not the same face;
- matplotlib writes PNG in RGBA through Pillow's zlib level 6 (`compress_level` 1 is given too), this project writes
  an 8-bit palette with a fast fixed-code deflate, so its files are larger than the best possible (sizes are printed).

Mazes with feedback stand beside two things: 191 ms an item, the released Python's time on two cores like these, a
constant; and a re-draw with Pillow (flat tiles, a line, a star), written for this comparison.
"""

import io
import json
import math
import statistics
import subprocess
import sys
import time

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Polygon, Rectangle
from PIL import Image, ImageDraw

DPI = 100
RELEASED_MAZE_SECONDS = 0.191
# What has a bar; the other families are there to be seen.
JUDGED = ("table", "bar", "scatter")


def colour(rgb):
    return tuple(channel / 255 for channel in rgb)


def figure_of(drawing):
    width, height = drawing["size"]
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor=colour(drawing["paper"]))
    FigureCanvasAgg(figure)
    return figure, width, height


def png_of(figure, level=None):
    out = io.BytesIO()
    figure.savefig(out, format="png", pil_kwargs={"compress_level": level} if level else {})
    return out.getvalue()


def draw(drawing, level=None):
    """The same texts, rules and marks; pixels from the upper left corner become those from the lower left."""
    figure, width, height = figure_of(drawing)
    for (x0, y0, x1, y1), rgb in drawing["rects"]:
        figure.add_artist(
            Rectangle((x0, height - y1), x1 - x0, y1 - y0, transform=None, facecolor=colour(rgb), linewidth=0)
        )
    for points, line_width, rgb in drawing["lines"]:
        xs, ys = [x for x, _ in points], [height - y for _, y in points]
        figure.add_artist(Line2D(xs, ys, transform=None, color=colour(rgb), linewidth=line_width * 72 / DPI))
    for (x, y), radius, rgb in drawing["discs"]:
        figure.add_artist(Circle((x, height - y), radius, transform=None, facecolor=colour(rgb), linewidth=0))
    for corners, rgb in drawing["polygons"]:
        turned = [(x, height - y) for x, y in corners]
        figure.add_artist(Polygon(turned, transform=None, facecolor=colour(rgb), linewidth=0))
    for text in drawing["texts"]:
        x, y = text["at"]
        figure.text(
            x / width,
            1 - y / height,
            text["text"].replace("$", r"\$"),
            fontsize=text["px"] * 72 / DPI,
            family="serif" if text["serif"] else "sans-serif",
            weight="bold" if text["bold"] else "normal",
            style="italic" if text["italic"] else "normal",
            ha=text["across"],
            va=text["down"],
            rotation=text["turned"],
            rotation_mode="anchor",
            color=colour(text["colour"]),
        )
    return png_of(figure, level)


def median_rate(work, items, rounds=3):
    """Items a second: the median over rounds; the first item warms caches up."""
    work(items[0])
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        for item in items:
            work(item)
        times.append(time.perf_counter() - start)
    return len(items) / statistics.median(times)


def as_axes_table(drawing):
    """About as many cells through `ax.table`, as one would write it by hand."""
    figure, _, _ = figure_of(drawing)
    texts = [text["text"] for text in drawing["texts"]]
    columns = max(1, math.isqrt(len(texts)))
    rows = [texts[i : i + columns] for i in range(0, len(texts) - columns + 1, columns)]
    axes = figure.add_subplot()
    axes.axis("off")
    axes.table(rows[1:], colLabels=rows[0], loc="center")
    return png_of(figure)


def as_axes_bars(drawing):
    """Bars through `ax.bar`, as one would write it by hand: as many as boxes stand on the picture, with its title."""
    figure, _, _ = figure_of(drawing)
    axes = figure.add_subplot()
    bars = [rect for rect, _ in drawing["rects"] if min(rect[2] - rect[0], rect[3] - rect[1]) > 3]
    axes.bar([str(i) for i in range(len(bars))], [y1 - y0 for _, y0, _, y1 in bars])
    axes.set(title="title", xlabel="category", ylabel="value")
    return png_of(figure)


def maze_with_pillow(seed, cells=7, side=64):
    """A maze of flat tiles with a half transparent path and a star at its end."""
    pixels = (cells + 1) * side
    image = Image.new("RGB", (pixels, pixels), (230, 230, 235))
    paint = ImageDraw.Draw(image, "RGBA")
    place = lambda cell: side // 2 + cell * side
    for row in range(cells):
        for column in range(cells):
            hole = (row * 7 + column * 5 + seed) % 4 == 0
            x, y = place(column), place(row)
            paint.rectangle((x, y, x + side - 1, y + side - 1), (190, 220, 240), (150, 180, 200))
            if hole:
                paint.ellipse((x + 8, y + 8, x + side - 8, y + side - 8), (40, 60, 90))
    path = [(place(step // 2) + side // 2, place((step + 1) // 2) + side // 2) for step in range(2 * cells - 1)]
    paint.line(path, (84, 8, 20, 160), 16, "curve")
    paint.line(path, (224, 24, 36, 160), 10, "curve")
    x, y = path[-1]
    star = [
        (x + (16 if i % 2 == 0 else 7) * math.sin(math.pi * i / 5), y - (16 if i % 2 == 0 else 7) * math.cos(math.pi * i / 5))
        for i in range(10)
    ]
    paint.polygon(star, (255, 220, 60), (84, 8, 20))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def report(name, ours, theirs, bar=None):
    factor = ours / theirs
    verdict = "" if bar is None else f"  (bar {bar}: {'met' if factor >= bar else 'MISSED'})"
    print(f"{name:44} {ours:9.0f} /s  {theirs:9.2f} /s  {factor:7.0f} x{verdict}")
    return bar is None or factor >= bar


def main():
    program = sys.argv[1]
    ours = json.loads(subprocess.run([program], check=True, capture_output=True).stdout)
    print(f"matplotlib {matplotlib.__version__}, Agg; items a second: ours, theirs in one process, factor")
    good = True
    for kind, part in ours.items():
        drawings = part.get("drawings")
        if not drawings:
            continue
        sizes = [drawing["size"] for drawing in drawings]
        mean = [sum(axis) // len(sizes) for axis in zip(*sizes)]
        texts = sum(len(drawing["texts"]) for drawing in drawings) // len(drawings)
        marks = sum(len(drawing[k]) for drawing in drawings for k in ("rects", "lines", "discs", "polygons")) // len(drawings)
        print(f"-- {kind}: mean {mean[0]} x {mean[1]} pixels, {texts} texts, {marks} rules and marks")
        rate = part["items_per_second"]
        theirs = median_rate(draw, drawings)
        good &= report("same layout, one thread each", rate, theirs, 100 if kind in JUDGED else None)
        report("same layout, ours on all cores", part["on_all_cores"], theirs)
        report("same layout, compress_level 1", rate, median_rate(lambda item: draw(item, 1), drawings))
        if kind == "table":
            report("ax.table", rate, median_rate(as_axes_table, drawings))
        if kind == "bar":
            report("ax.bar", rate, median_rate(as_axes_bars, drawings))
    again = json.loads(subprocess.run([program], check=True, capture_output=True).stdout)
    rate = ours["maze"]["items_per_second"]
    print("-- maze 7x7 with feedback")
    good &= report("released Python (constant 191 ms)", rate, 1 / RELEASED_MAZE_SECONDS, 200)
    report("Pillow, flat tiles", rate, median_rate(maze_with_pillow, list(range(24))))
    print("-- ours before and after, for drift:")
    for kind, part in ours.items():
        rates = [run[kind]["items_per_second"] for run in (ours, again)]
        print(f"{kind:44} {rates[0]:9.0f} /s  {rates[1]:9.0f} /s")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
