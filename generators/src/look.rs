//! How tables and charts look, apart from what stands in them: the params' key `look`.

use serde::{Deserialize, Serialize};

use crate::canvas::{Dash, Family, Font, Rgb};

/// Colours of series, fifteen each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Palette {
    /// Strong and distinct, as plots in papers have.
    #[default]
    Paper,
    /// Light and soft.
    Pastel,
    /// Saturated.
    Vivid,
    /// Greyed.
    Muted,
    /// Apart for eyes that confuse red and green.
    Safe,
    /// Reds, oranges, yellows.
    Warm,
    /// Blues and greens.
    Cool,
    /// Greys alone.
    Grey,
}

impl Palette {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Paper, Self::Pastel, Self::Vivid, Self::Muted, Self::Safe, Self::Warm, Self::Cool, Self::Grey];

    /// How many colours it has.
    pub(crate) const COLOURS: usize = 15;

    fn colours(self) -> &'static [u32; Self::COLOURS] {
        match self {
            Self::Paper => &[
                0x2f6fb0, 0xe07b28, 0x3b9a4a, 0xc9393d, 0x8660b4, 0x8a5a48, 0xd46fb4, 0x767b80, 0xb3ae2e,
                0x2aa9b8, 0x1f3f73, 0xa8501a, 0x1e6148, 0x8c1f3f, 0x4f4a9c,
            ],
            Self::Pastel => &[
                0xa9c8e8, 0xf8c79a, 0xafdcb0, 0xf3a9a7, 0xcfbce6, 0xd6bcae, 0xf3c2e0, 0xcfd2d4, 0xe6e2a0,
                0xabe0e6, 0xb9c2dd, 0xeab798, 0xb4d6c6, 0xe2b0c0, 0xc4c2ea,
            ],
            Self::Vivid => &[
                0x0072ff, 0xff7a00, 0x00b140, 0xf01830, 0x8a2be2, 0xa0521c, 0xff3fb0, 0x5c6670, 0xd4c400,
                0x00c2d8, 0x0a2fa8, 0xd84a00, 0x007a55, 0xb0004e, 0x5a38ff,
            ],
            Self::Muted => &[
                0x6d86a3, 0xb8906a, 0x7d9a7e, 0xa97470, 0x8f81a3, 0x8b776b, 0xb08fa6, 0x87898b, 0xa5a274,
                0x789ea3, 0x55627a, 0x977358, 0x5f7a6d, 0x8a5f6c, 0x736f96,
            ],
            // The first seven after the colours of Okabe and Ito (2008), then lighter and darker ones.
            Self::Safe => &[
                0x0072b2, 0xe69f00, 0x009e73, 0xd55e00, 0xcc79a7, 0x56b4e9, 0xf0e442, 0x505050, 0x004a75,
                0x9a6a00, 0x00664b, 0x8a3c00, 0x864a6b, 0x2d7fae, 0xa39a1c,
            ],
            Self::Warm => &[
                0xc4302b, 0xe8862c, 0xe9b93a, 0x9b2d3f, 0xd9622b, 0xf0a25c, 0x7f1f2b, 0xb5761d, 0xe3685d,
                0xc98f2f, 0xa3461f, 0xf2c879, 0x8c5a2b, 0xd8485f, 0x6b3320,
            ],
            Self::Cool => &[
                0x25639c, 0x2f9c95, 0x5fae62, 0x4a4fa3, 0x58a6d6, 0x1c6b5b, 0x7a86d1, 0x8cc5b3, 0x1f4468,
                0x3c8f52, 0x6b5fb5, 0x2c86b3, 0x8fb85c, 0x35357a, 0x4fb8c4,
            ],
            Self::Grey => &[
                0x404040, 0x8c8c8c, 0xb8b8b8, 0x262626, 0x6e6e6e, 0xa2a2a2, 0xcccccc, 0x545454, 0x7d7d7d,
                0x333333, 0xadadad, 0x616161, 0x979797, 0xc2c2c2, 0x4a4a4a,
            ],
        }
    }
}

/// How data lines and rules are drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineStyle {
    /// Unbroken.
    #[default]
    Solid,
    /// In strokes.
    Dashed,
    /// In dots.
    Dotted,
}

/// Lines behind what is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grid {
    /// The task's own: what its usual picture has.
    #[default]
    Usual,
    /// None.
    None,
    /// Faint ones.
    Light,
    /// Strong ones, both ways.
    Full,
}

/// Everything that changes a picture without changing what it says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Look {
    /// Typeface; absent: the task's own (tables serif, charts sans).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<Family>,
    /// Colours of series.
    pub palette: Palette,
    /// Percent of the distance from paper to ink that ink keeps; 100 is black on white.
    pub contrast: u8,
    /// Lines and rules.
    pub line: LineStyle,
    /// Lines behind.
    pub grid: Grid,
    /// Degrees by which labels are turned: 0, 15, 30, 45, 60, 75 or 90.
    pub label_turn: u16,
    /// Light ink on dark paper.
    pub dark: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            family: None,
            palette: Palette::Paper,
            contrast: 100,
            line: LineStyle::Solid,
            grid: Grid::Usual,
            label_turn: 0,
            dark: false,
        }
    }
}

impl Look {
    /// What is wrong with it, and what would be right.
    pub(crate) fn validate(&self) -> Result<(), String> {
        if !(5..=100).contains(&self.contrast) {
            return Err(format!("look.contrast is {}, but must be 5 to 100 percent", self.contrast));
        }
        if !matches!(self.label_turn, 0 | 15 | 30 | 45 | 60 | 75 | 90) {
            let turn = self.label_turn;
            return Err(format!(
                "look.label_turn is {turn}, but must be 0, 15, 30, 45, 60, 75 or 90 degrees"
            ));
        }
        Ok(())
    }

    /// The paper's colour.
    pub(crate) fn paper(&self) -> Rgb {
        if self.dark {
            [27, 29, 34]
        } else {
            [255, 255, 255]
        }
    }

    /// The colour of text and strong rules, at the contrast asked for.
    pub(crate) fn ink(&self) -> Rgb {
        self.tone(if self.dark { [238, 238, 234] } else { [0, 0, 0] })
    }

    /// Faint lines and secondary text: `percent` of the way from paper to ink.
    pub(crate) fn faint(&self, percent: u8) -> Rgb {
        between(self.paper(), self.ink(), percent)
    }

    /// A colour at the contrast asked for: moved towards the paper.
    pub(crate) fn tone(&self, colour: Rgb) -> Rgb {
        between(self.paper(), colour, self.contrast)
    }

    /// Colour of the `index`th series, at the contrast asked for; after fifteen they repeat.
    pub(crate) fn series(&self, index: usize) -> Rgb {
        let [_, red, green, blue] = self.palette.colours()[index % Palette::COLOURS].to_be_bytes();
        self.tone([red, green, blue])
    }

    /// The typeface asked for, or the task's own, at a size in pixels.
    pub(crate) fn font(&self, own: Family, px: u16) -> Font {
        Font::new(self.family.unwrap_or(own), px)
    }

    /// How lines are interrupted.
    pub(crate) fn dash(&self) -> Dash {
        match self.line {
            LineStyle::Solid => Dash::Solid,
            LineStyle::Dashed => Dash::Dashed,
            LineStyle::Dotted => Dash::Dotted,
        }
    }
}

/// `percent` of the way from one colour to another, rounded.
pub(crate) fn between(from: Rgb, to: Rgb, percent: u8) -> Rgb {
    let part = u32::from(percent.min(100));
    std::array::from_fn(|i| {
        let sum = u32::from(from[i]) * (100 - part) + u32::from(to[i]) * part;
        ((sum + 50) / 100) as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_name_any_part_of_it_and_nothing_else() {
        let look: Look = serde_json::from_str(r#"{"family": "mono", "contrast": 40}"#).unwrap();
        assert_eq!((look.family, look.contrast, look.grid), (Some(Family::Mono), 40, Grid::Usual));
        assert!(look.validate().is_ok());
        for text in [r#"{"colour": 1}"#, r#"{"family": "gothic"}"#, r#"{"contrast": 300}"#] {
            assert!(serde_json::from_str::<Look>(text).is_err(), "{text}");
        }
        let text = serde_json::to_string(&look).unwrap();
        assert_eq!(serde_json::from_str::<Look>(&text).unwrap(), look);
        for wrong in [Look { contrast: 4, ..Look::default() }, Look { label_turn: 20, ..Look::default() }] {
            assert!(wrong.validate().unwrap_err().contains("look."));
        }
    }

    #[test]
    fn contrast_moves_ink_towards_paper_on_light_and_dark() {
        for dark in [false, true] {
            let distance = |contrast| {
                let look = Look { contrast, dark, ..Look::default() };
                let (ink, paper) = (look.ink(), look.paper());
                (0..3).map(|i| u32::from(ink[i].abs_diff(paper[i]))).sum::<u32>()
            };
            let steps: Vec<u32> = (5..=100).map(distance).collect();
            assert!(steps.windows(2).all(|pair| pair[0] < pair[1]), "{steps:?}");
        }
        assert_eq!(Look::default().ink(), [0; 3]);
    }

    #[test]
    fn colours_of_a_palette_differ() {
        for palette in Palette::ALL {
            let mut colours = palette.colours().to_vec();
            colours.sort_unstable();
            colours.dedup();
            assert_eq!(colours.len(), Palette::COLOURS, "{palette:?}");
        }
    }
}
