//! How one table differs from the next without saying anything else: drawn from its seed, apart from its content.

use vrrl_harness_core::Seed;

use super::content::Content;
use super::params::{CaptionPlace, Layout, Numbers, TableParams};
use super::prose;

/// Where headers of groups of rows stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Groups {
    /// On a line of their own.
    Title,
    /// In a column beside their rows.
    Side,
}

/// Everything about a table's looks that its params leave open.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Style {
    pub groups: Groups,
    /// Headers of groups of rows: 0 italic, 1 bold, 2 plain.
    pub group_face: u32,
    /// Thin rules between groups of rows.
    pub group_rules: bool,
    pub indented: bool,
    pub titles_centred: bool,
    pub bold_head: bool,
    /// Metrics have an arrow: up where more is better.
    pub arrows: bool,
    pub percent_sign: bool,
    /// ± is set small and low.
    pub spread_low: bool,
    pub mark: &'static str,
    pub note: &'static str,
    pub corner: &'static str,
    pub caption_place: CaptionPlace,
    pub caption: String,
    /// Pixels of margin: left and right, above and below.
    pub margin: [i32; 2],
    /// Where the table stands on a larger picture, as shares.
    pub place: [u32; 2],
}

impl Style {
    /// The style of the table of this seed.
    pub(crate) fn new(params: &TableParams, content: &Content, seed: Seed) -> Self {
        let mut rng = seed.derive("table style", 0).rng();
        // Every key has its draw whether or not it is used: styles of one seed stay alike under all params.
        let groups = if rng.chance(1, 2) { Groups::Title } else { Groups::Side };
        let [group_face, bars, indent, centre, bold, arrows] = [3, 4, 2, 4, 5, 3].map(|n| rng.below(n));
        let (percent, low, drawn) = (rng.chance(1, 8), rng.chance(1, 2), rng.chance(3, 4));
        let mark = prose::MARKS[rng.index(prose::MARKS.len())];
        let note = prose::note(&mut rng);
        let margin = [(); 2].map(|()| rng.between(16, 40) as i32);
        let place = [(); 2].map(|()| rng.next_u32());
        let number = rng.between(1, 12);
        let mut words = seed.derive("table style", 1).rng();
        let corner = prose::corner(params.layout == Layout::Transposed, &mut words);
        let best = content.cells.iter().flatten().any(|cell| cell.best);
        let caption = format!("Table {number}: {}", prose::caption(content, best, &mut words));
        let usual = if drawn { CaptionPlace::Above } else { CaptionPlace::Below };
        Self {
            groups,
            group_face,
            // Beside its rows a header needs rules to show which they are.
            group_rules: bars > 0 || groups == Groups::Side,
            indented: indent == 0,
            titles_centred: centre == 0,
            bold_head: bold < 2,
            arrows: arrows == 0,
            percent_sign: percent
                && params.numbers != Numbers::Scientific
                && content.percent_only(params.numbers),
            spread_low: low,
            mark,
            note,
            corner,
            caption_place: params.caption.unwrap_or(usual),
            caption,
            margin,
            place,
        }
    }
}
