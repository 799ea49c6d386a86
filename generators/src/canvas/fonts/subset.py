"""Makes the fonts of this folder from their sources (see README.md): `python subset.py FOLDER`.

FOLDER holds the unpacked sources; needs fonttools and brotli. Keeps the characters below, drops hints and layout
tables, and gives each subset a name of its own, as the licences ask of changed fonts.
"""

import io
import pathlib
import sys

from fontTools import subset
from fontTools.ttLib import TTFont

HERE = pathlib.Path(__file__).parent
CHARACTERS = (
    "".join(chr(c) for c in range(0x20, 0x7F))
    + "±–—−×÷·•…†‡§¶↑↓→←‘’“”°²³¹µμαβγδεθκλπρσφχωΓΔΘΛΣΦΨΩ≤≥≈∞√∗★"
    + "äöüÄÖÜßéèêáàâíóôøñçÉ€"
)
SOURCES = {
    "serif": ("Vrrl Serif", "typst-assets-0.13.1/files/fonts/NewCM10-Regular.otf"),
    "serif-bold": ("Vrrl Serif Bold", "typst-assets-0.13.1/files/fonts/NewCM10-Bold.otf"),
    "serif-italic": ("Vrrl Serif Italic", "typst-assets-0.13.1/files/fonts/NewCM10-Italic.otf"),
    "sans": ("Vrrl Sans", "matplotlib/mpl-data/fonts/ttf/DejaVuSans.ttf"),
    "sans-bold": ("Vrrl Sans Bold", "matplotlib/mpl-data/fonts/ttf/DejaVuSans-Bold.ttf"),
    "mono": ("Vrrl Mono", "jetbrains-mono/files/jetbrains-mono-latin-400-normal.woff2"),
    "mono-bold": ("Vrrl Mono Bold", "jetbrains-mono/files/jetbrains-mono-latin-700-normal.woff2"),
    "slab": ("Vrrl Slab", "roboto-slab/files/roboto-slab-latin-400-normal.woff2"),
    "slab-bold": ("Vrrl Slab Bold", "roboto-slab/files/roboto-slab-latin-700-normal.woff2"),
    "hand": ("Vrrl Hand", "kalam/files/kalam-latin-400-normal.woff2"),
    "hand-bold": ("Vrrl Hand Bold", "kalam/files/kalam-latin-700-normal.woff2"),
}


def rename(font, name):
    """Leaves the copyright line and one name of our own."""
    table = font["name"]
    notice = next((n.toUnicode() for n in table.names if n.nameID == 0), "")
    table.names = []
    words = {0: f"{notice} Subset, hints and layout removed, renamed.", 1: name, 2: "Regular", 4: name}
    words[6] = name.replace(" ", "")
    for key, text in words.items():
        table.setName(text, key, 3, 1, 0x409)


def main(folder):
    options = subset.Options(
        layout_features=[], hinting=False, notdef_outline=True, glyph_names=False, desubroutinize=True,
        drop_tables=["GSUB", "GPOS", "GDEF", "kern", "DSIG", "FFTM", "PfEd", "STAT", "gasp", "meta"],
    )
    for stem, (name, source) in SOURCES.items():
        font = subset.load_font(str(folder / source), options)
        subsetter = subset.Subsetter(options)
        subsetter.populate(text=CHARACTERS)
        subsetter.subset(font)
        rename(font, name)
        if "CFF " in font:
            cff = font["CFF "].cff
            cff.fontNames = [name.replace(" ", "")]
            top = cff.topDictIndex[0]
            top.FullName = top.FamilyName = name
        font.flavor = None
        font.recalcTimestamp = False
        out = io.BytesIO()
        font.save(out)
        path = HERE / f"{stem}.{'otf' if 'CFF ' in font else 'ttf'}"
        path.write_bytes(out.getvalue())
        missing = [c for c in CHARACTERS if ord(c) not in font.getBestCmap()]
        print(f"{path.name}: {len(out.getvalue())} bytes, without {''.join(missing)}")


main(pathlib.Path(sys.argv[1]))
