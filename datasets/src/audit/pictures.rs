//! Overlapping items side by side, for people.

use std::fs;
use std::path::{Path, PathBuf};

use vrrl_harness_core::{Image, View};

use super::Offender;
use crate::{Error, Examples};

/// Between two pictures, in pixels.
const GAP: u32 = 16;
/// Grey of what is not a picture.
const GREY: [u8; 3] = [0x90, 0x90, 0x90];

/// Draws each offender as a PNG under `dir`: the training item, the test item and, where they are of one size, how
/// they differ (white where they do not). Returns the files in the order of the offenders; their names start with a
/// number, the overlap, and go on with both ids.
///
/// # Errors
/// [`Error::Io`], and as [`Examples::items`].
///
/// # Panics
/// If an offender is not of these splits.
pub fn draw_offenders(
    offenders: &[Offender],
    train: &[&Examples],
    test: &[&Examples],
    dir: &Path,
) -> Result<Vec<PathBuf>, Error> {
    fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
    let picture = |examples: &Examples, item: usize| -> Result<Image, Error> {
        Ok(examples.items(item..item + 1)?[0].example.problem.observe(View::Crisp))
    };
    let mut files = Vec::new();
    for (number, offender) in offenders.iter().enumerate() {
        let left = picture(train[offender.train], offender.train_item)?;
        let right = picture(test[offender.test], offender.test_item)?;
        let overlap = offender.overlap.word();
        let name =
            format!("{number:03}_{overlap}_{}_{}.png", plain(&offender.train_id), plain(&offender.test_id));
        let path = dir.join(name);
        let bytes = vrrl_generators::png(&side_by_side(&left, &right));
        fs::write(&path, bytes).map_err(Error::io("write", &path))?;
        files.push(path);
    }
    Ok(files)
}

/// An id as part of a file name.
fn plain(id: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' };
    id.chars().take(40).map(letter).collect()
}

fn side_by_side(left: &Image, right: &Image) -> Image {
    let difference = (left.dimensions() == right.dimensions()).then(|| difference(left, right));
    let all: Vec<&Image> = [left, right].into_iter().chain(&difference).collect();
    let width = all.iter().map(|picture| picture.width() + GAP).sum::<u32>() - GAP;
    let height = left.height().max(right.height());
    let mut whole = Image::from_pixel(width, height, GREY.into());
    let mut x = 0;
    for picture in all {
        for (dx, dy, pixel) in picture.enumerate_pixels() {
            whole.put_pixel(x + dx, dy, *pixel);
        }
        x += picture.width() + GAP;
    }
    whole
}

/// White where two pictures are equal, darker where they differ, so that small differences show.
fn difference(left: &Image, right: &Image) -> Image {
    let mut picture = left.clone();
    for (pixel, other) in picture.pixels_mut().zip(right.pixels()) {
        let far = (0..3).map(|i| pixel.0[i].abs_diff(other.0[i])).max().unwrap_or(0);
        pixel.0 = [255 - far.saturating_mul(2).max(if far > 0 { 48 } else { 0 }); 3];
    }
    picture
}
