"""Makes the fonts of this folder from their sources (see README.md): `python subset.py FOLDER`.

FOLDER holds the unpacked sources; needs fonttools and brotli. Keeps the characters below, drops hints and layout
tables but for the kerning of letters (as an old-style `kern` table, which needs no shaping), and gives each subset a
name of its own, as the licences ask of changed fonts.
"""

import io
import pathlib
import sys

from fontTools import subset
from fontTools.ttLib import TTFont, newTable
from fontTools.ttLib.tables._k_e_r_n import KernTable_format_0

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


def kerning(font):
    """Pairs of ASCII characters and by how much they move together. Digits keep their columns."""
    glyph = font.getBestCmap()
    characters = [chr(c) for c in range(0x21, 0x7F) if c in glyph and not chr(c).isdigit()]
    table = font["GPOS"].table if "GPOS" in font else None
    if table is None or table.LookupList is None:
        return {}
    features = [r.Feature for r in table.FeatureList.FeatureRecord if r.FeatureTag == "kern"]
    lookups = sorted({index for feature in features for index in feature.LookupListIndex})
    pairs = {}
    for index in lookups:
        subtables = [getattr(t, "ExtSubTable", t) for t in table.LookupList.Lookup[index].SubTable]
        subtables = [t for t in subtables if t.LookupType == 2]
        for a in characters:
            for b in characters:
                names = glyph[ord(a)], glyph[ord(b)]
                value = next((v for v in (advance(t, *names) for t in subtables) if v is not None), 0)
                if value and names not in pairs:
                    pairs[names] = value
    return pairs


def advance(subtable, first, second):
    """What a subtable adds between two glyphs; None where it says nothing of the first."""
    if first not in subtable.Coverage.glyphs:
        return None
    if subtable.Format == 1:
        records = subtable.PairSet[subtable.Coverage.glyphs.index(first)].PairValueRecord
        record = next((r for r in records if r.SecondGlyph == second), None)
        return None if record is None else getattr(record.Value1, "XAdvance", 0) or 0
    record = subtable.Class1Record[subtable.ClassDef1.classDefs.get(first, 0)]
    record = record.Class2Record[subtable.ClassDef2.classDefs.get(second, 0)]
    return getattr(record.Value1, "XAdvance", 0) or 0


def add_kerning(font, pairs):
    """As a table of the old style."""
    if pairs:
        table = KernTable_format_0()
        table.coverage, table.tupleIndex, table.kernTable = 1, None, pairs
        font["kern"] = newTable("kern")
        font["kern"].version, font["kern"].kernTables = 0, [table]


def main(folder):
    options = subset.Options(
        layout_features=[], hinting=False, notdef_outline=True, glyph_names=False, desubroutinize=True,
        drop_tables=["GSUB", "GPOS", "GDEF", "kern", "DSIG", "FFTM", "PfEd", "STAT", "gasp", "meta"],
    )
    for stem, (name, source) in SOURCES.items():
        pairs = kerning(TTFont(folder / source))
        font = subset.load_font(str(folder / source), options)
        subsetter = subset.Subsetter(options)
        subsetter.populate(text=CHARACTERS)
        subsetter.subset(font)
        # Subsetting keeps the names of glyphs while the font is in memory.
        add_kerning(font, pairs)
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
        print(f"{path.name}: {len(out.getvalue())} bytes, {len(pairs)} kerns, without {''.join(missing)}")


main(pathlib.Path(sys.argv[1]))
