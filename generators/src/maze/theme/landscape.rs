//! Ice, desert, forest and night: one figure in four dresses, on four grounds.

use super::{disc, ellipse, ground, pixels, polygon, rect, Tiles};
use crate::canvas::{Rgb, Sprite};

/// Colours of the figure below its head.
struct Dress {
    shadow: Rgb,
    boots: Rgb,
    coat: Rgb,
    belt: Rgb,
    buckle: Rgb,
    skin: Rgb,
    eyes: Rgb,
}

/// The figure, without hat and eyes.
fn body(ground: Sprite, dress: &Dress) -> Sprite {
    ground
        .paint(&ellipse(32, 56, 15, 3), dress.shadow)
        .paint(&rect(23, 44, 30, 56, 2), dress.boots)
        .paint(&rect(34, 44, 41, 56, 2), dress.boots)
        .paint(&polygon(&[(24, 29), (40, 29), (46, 49), (18, 49)]), dress.coat)
        .paint(&rect(20, 41, 44, 44, 0), dress.belt)
        .paint(&rect(29, 40, 35, 45, 1), dress.buckle)
        .paint(&disc(32, 23, 10), dress.skin)
}

fn eyes(figure: Sprite, dress: &Dress) -> Sprite {
    figure.paint(&disc(28, 25, 2), dress.eyes).paint(&disc(36, 25, 2), dress.eyes)
}

/// Colours of the gift.
struct Gift {
    shadow: Rgb,
    side: Rgb,
    shade: Rgb,
    lid: Rgb,
    ribbon: Rgb,
    light: Rgb,
}

fn gift(ground: Sprite, gift: &Gift) -> Sprite {
    ground
        .paint(&ellipse(32, 55, 21, 3), gift.shadow)
        .paint(&rect(14, 28, 50, 55, 2), gift.side)
        .paint(&rect(14, 28, 50, 31, 0), gift.shade)
        .paint(&rect(11, 20, 53, 29, 2), gift.lid)
        .paint(&rect(28, 20, 36, 55, 0), gift.ribbon)
        .paint(&polygon(&[(32, 20), (16, 8), (14, 18)]), gift.ribbon)
        .paint(&polygon(&[(32, 20), (48, 8), (50, 18)]), gift.ribbon)
        .paint(&polygon(&[(32, 20), (19, 12), (18, 17)]), gift.light)
        .paint(&polygon(&[(32, 20), (45, 12), (46, 17)]), gift.light)
        .paint(&disc(32, 19, 4), gift.ribbon)
}

pub(super) fn ice() -> Tiles {
    const SEAM: Rgb = [184, 212, 228];
    const GLINT: Rgb = [230, 243, 249];
    const WHITE: Rgb = [250, 250, 250];
    let ice = ground(SEAM, [208, 230, 242]);
    let free = ice
        .clone()
        .paint(&polygon(&[(12, 26), (26, 12), (30, 12), (12, 30)]), GLINT)
        .paint(&polygon(&[(38, 52), (52, 38), (54, 38), (38, 54)]), GLINT);
    let hole = ice
        .clone()
        .paint(&disc(32, 32, 26), [168, 203, 222])
        .paint(&disc(32, 32, 24), [40, 84, 128])
        .paint(&disc(32, 34, 21), [22, 52, 92])
        .paint(&ellipse(25, 24, 6, 3), [74, 122, 164]);
    let dress = Dress {
        shadow: SEAM,
        boots: [92, 60, 40],
        coat: [38, 138, 74],
        belt: [60, 44, 34],
        buckle: [240, 196, 64],
        skin: [248, 212, 178],
        eyes: [40, 36, 44],
    };
    let hat = body(ice.clone(), &dress)
        .paint(&polygon(&[(20, 20), (44, 20), (35, 3), (31, 3)]), [26, 110, 58])
        .paint(&rect(19, 17, 45, 21, 2), WHITE)
        .paint(&disc(33, 5, 3), WHITE);
    let goal = Gift {
        shadow: SEAM,
        side: [242, 186, 46],
        shade: [206, 148, 26],
        lid: [250, 206, 82],
        ribbon: [124, 58, 160],
        light: [164, 102, 196],
    };
    Tiles { around: [238, 242, 246], free, hole, start: eyes(hat, &dress), goal: gift(ice, &goal) }
}

pub(super) fn desert() -> Tiles {
    const SEAM: Rgb = [212, 182, 126];
    const RIPPLE: Rgb = [220, 190, 136];
    let sand = ground(SEAM, [234, 208, 156]);
    let ripple = |tile: Sprite, x: i32, y: i32| {
        tile.paint(&polygon(&[(x, y), (x + 10, y - 4), (x + 22, y), (x + 10, y - 1)]), RIPPLE)
    };
    let free = ripple(ripple(sand.clone(), 8, 20), 32, 36);
    let free = ripple(free, 12, 54)
        .paint(&ellipse(48, 14, 3, 2), [186, 154, 104])
        .paint(&ellipse(18, 36, 2, 2), [186, 154, 104]);
    let hole = sand
        .clone()
        .paint(&ellipse(32, 33, 27, 24), [248, 228, 184])
        .paint(&ellipse(32, 33, 24, 21), [150, 104, 62])
        .paint(&ellipse(32, 36, 21, 17), [86, 56, 34])
        .paint(&ellipse(32, 39, 15, 11), [44, 28, 20]);
    let dress = Dress {
        shadow: SEAM,
        boots: [96, 62, 40],
        coat: [52, 96, 164],
        belt: [98, 64, 40],
        buckle: [236, 200, 90],
        skin: [206, 156, 112],
        eyes: [40, 30, 26],
    };
    let hat = body(sand.clone(), &dress)
        .paint(&ellipse(32, 17, 17, 4), [120, 82, 44])
        .paint(&rect(23, 5, 41, 17, 5), [142, 98, 54])
        .paint(&rect(23, 13, 41, 16, 0), [84, 52, 30]);
    let goal = Gift {
        shadow: SEAM,
        side: [38, 150, 148],
        shade: [24, 116, 116],
        lid: [62, 180, 174],
        ribbon: [250, 236, 200],
        light: [222, 190, 130],
    };
    Tiles { around: [246, 230, 194], free, hole, start: eyes(hat, &dress), goal: gift(sand, &goal) }
}

pub(super) fn forest() -> Tiles {
    const SEAM: Rgb = [92, 140, 68];
    const BLADE: Rgb = [96, 150, 66];
    let grass = ground(SEAM, [130, 182, 92]);
    let tuft = |tile: Sprite, x: i32, y: i32| {
        tile.paint(&polygon(&[(x, y), (x - 4, y - 8), (x + 2, y)]), BLADE)
            .paint(&polygon(&[(x, y), (x + 1, y - 11), (x + 4, y)]), BLADE)
            .paint(&polygon(&[(x + 2, y), (x + 8, y - 7), (x + 5, y)]), BLADE)
    };
    let flower = |tile: Sprite, x: i32, y: i32| {
        tile.paint(&disc(x, y, 3), [250, 244, 236]).paint(&disc(x, y, 1), [240, 190, 60])
    };
    let free = tuft(tuft(tuft(grass.clone(), 14, 24), 42, 34), 18, 56);
    let free = flower(flower(free, 46, 14), 36, 54);
    let hole = grass
        .clone()
        .paint(&ellipse(32, 32, 27, 25), [150, 122, 78])
        .paint(&ellipse(32, 33, 24, 22), [48, 74, 66])
        .paint(&ellipse(32, 35, 21, 18), [26, 48, 48])
        .paint(&ellipse(42, 26, 6, 4), [104, 160, 76])
        .paint(&ellipse(24, 42, 5, 3), [104, 160, 76]);
    let dress = Dress {
        shadow: [104, 152, 72],
        boots: [70, 48, 34],
        coat: [176, 104, 40],
        belt: [74, 50, 34],
        buckle: [236, 212, 120],
        skin: [244, 206, 172],
        eyes: [42, 34, 38],
    };
    let hat = body(grass.clone(), &dress)
        .paint(&polygon(&[(18, 21), (32, 4), (46, 21)]), [44, 84, 48])
        .paint(&rect(17, 18, 47, 22, 2), [34, 66, 38])
        .paint(&polygon(&[(40, 16), (54, 2), (46, 17)]), [250, 238, 210]);
    let goal = Gift {
        shadow: [104, 152, 72],
        side: [74, 92, 190],
        shade: [54, 68, 150],
        lid: [100, 120, 216],
        ribbon: [250, 214, 80],
        light: [214, 170, 40],
    };
    Tiles { around: [206, 222, 178], free, hole, start: eyes(hat, &dress), goal: gift(grass, &goal) }
}

pub(super) fn night() -> Tiles {
    const SEAM: Rgb = [40, 44, 66];
    let rock = ground(SEAM, [66, 72, 100]);
    let stone = |tile: Sprite, x: i32, y: i32, size: i32| {
        tile.paint(&disc(x, y, size), [84, 92, 122]).paint(&disc(x - 1, y - 1, size - 1), [98, 106, 138])
    };
    let free = stone(stone(stone(rock.clone(), 16, 18, 4), 46, 28, 3), 24, 50, 3);
    let hole = rock
        .clone()
        .paint(&disc(32, 32, 27), [128, 136, 166])
        .paint(&disc(33, 33, 24), [30, 32, 46])
        .paint(&disc(34, 35, 20), [8, 8, 14]);
    let dress = Dress {
        shadow: SEAM,
        boots: [150, 154, 168],
        coat: [224, 228, 238],
        belt: [120, 126, 146],
        buckle: [90, 200, 240],
        skin: [238, 200, 166],
        eyes: [30, 28, 40],
    };
    // A helmet: a bright rim around the face, and its light.
    let helmet = body(rock.clone().paint(&disc(32, 21, 15), [224, 228, 238]), &dress)
        .paint(&rect(30, 2, 34, 8, 1), [150, 154, 168])
        .paint(&disc(32, 4, 3), [255, 226, 120]);
    let goal = Gift {
        shadow: SEAM,
        side: [236, 240, 250],
        shade: [188, 194, 214],
        lid: [252, 252, 255],
        ribbon: [64, 190, 220],
        light: [150, 226, 242],
    };
    Tiles { around: [26, 28, 44], free, hole, start: eyes(helmet, &dress), goal: gift(rock, &goal) }
}

/// What the four small sets share; the middle four pixels carry the path in feedback, so each tile is known by
/// its rim as well.
fn small(around: Rgb, colours: &[(u8, Rgb)]) -> Tiles {
    let art = |rows: [&str; 8]| pixels(rows, colours);
    Tiles {
        around,
        free: art([
            "iiiiiiiI", "iiiiiiiI", "iiiiiiiI", "iiiiiiiI", "iiiiiiiI", "iiiiiiiI", "iiiiiiiI", "IIIIIIII",
        ]),
        hole: art([
            "iiWWWWiI", "iWwwwwWI", "WwwwwwwW", "WwwwwwwW", "WwwwwwwW", "WwwwwwwW", "iWwwwwWI", "IIWWWWII",
        ]),
        start: art([
            "iiiGGiiI", "iiGGGGiI", "iGssssGI", "iissssiI", "iggggggI", "gggggggg", "iggggggI", "IGGIIGGI",
        ]),
        goal: art([
            "ivviivvI", "iivvvviI", "yyyvvyyy", "yyyvvyyy", "YYYvvYYY", "yyyvvyyy", "yyyvvyyy", "YYYvvYYY",
        ]),
    }
}

const GREY: Rgb = [128, 128, 128];

pub(super) fn small_ice() -> Tiles {
    small(
        GREY,
        &[
            (b'i', [216, 236, 248]),
            (b'I', [184, 210, 228]),
            (b'w', [16, 32, 72]),
            (b'W', [48, 88, 144]),
            (b'g', [32, 150, 64]),
            (b'G', [12, 84, 36]),
            (b's', [248, 208, 168]),
            (b'y', [250, 200, 40]),
            (b'Y', [176, 120, 8]),
            (b'v', [128, 48, 168]),
        ],
    )
}

pub(super) fn small_desert() -> Tiles {
    small(
        GREY,
        &[
            (b'i', [236, 212, 160]),
            (b'I', [212, 182, 126]),
            (b'w', [52, 34, 24]),
            (b'W', [140, 98, 60]),
            (b'g', [52, 96, 164]),
            (b'G', [96, 62, 40]),
            (b's', [206, 156, 112]),
            (b'y', [38, 150, 148]),
            (b'Y', [22, 104, 104]),
            (b'v', [250, 240, 210]),
        ],
    )
}

pub(super) fn small_forest() -> Tiles {
    small(
        GREY,
        &[
            (b'i', [134, 186, 96]),
            (b'I', [100, 148, 74]),
            (b'w', [26, 48, 48]),
            (b'W', [150, 122, 78]),
            (b'g', [176, 104, 40]),
            (b'G', [34, 66, 38]),
            (b's', [244, 206, 172]),
            (b'y', [74, 92, 190]),
            (b'Y', [48, 62, 140]),
            (b'v', [250, 214, 80]),
        ],
    )
}

pub(super) fn small_night() -> Tiles {
    small(
        [96, 96, 104],
        &[
            (b'i', [66, 72, 100]),
            (b'I', [44, 48, 72]),
            (b'w', [8, 8, 14]),
            (b'W', [128, 136, 166]),
            (b'g', [224, 228, 238]),
            (b'G', [150, 154, 168]),
            (b's', [238, 200, 166]),
            (b'y', [244, 246, 252]),
            (b'Y', [188, 194, 214]),
            (b'v', [64, 190, 220]),
        ],
    )
}
