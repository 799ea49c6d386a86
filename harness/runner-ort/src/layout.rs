//! The files of a directory: which graphs, and how pictures and positions become numbers.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use vrrl_harness_core::{sha256_hex, Image};
use vrrl_trainer_codec::Tokenizer;

use crate::{header, Error};

/// The graphs, in the order in which they are used.
pub(crate) const GRAPHS: [&str; 3] = ["vision_encoder", "embed_tokens", "decoder_model_merged"];
/// Variants that exporters write, beside the plain one.
const SUFFIXES: [&str; 8] = ["fp16", "int8", "uint8", "quantized", "q4", "q4f16", "bnb4", "q8"];
const CONFIG: &str = "config.json";
const PICTURES: &str = "preprocessor_config.json";
const TOKENIZER: &str = "tokenizer.json";
const FORMAT: u32 = 1;

/// A directory that was read.
pub(crate) struct Layout {
    /// Vision encoder, token embeddings, decoder.
    pub graphs: [PathBuf; 3],
    /// Bytes of all graphs and their weights.
    pub bytes: u64,
    pub tokenizer: Tokenizer,
    pub pictures: Pictures,
    pub positions: Positions,
    /// Folder's name, with the variant.
    pub name: String,
    /// SHA-256 over every file that decides replies.
    pub fingerprint: String,
}

/// How positions are numbered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Positions {
    /// 0, 1, 2, … through the episode, at most so many where the model says.
    Through(Option<usize>),
    /// `turn·slots + slot`: slots begin at 0 in each turn, and there are so many.
    Turns(usize),
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    text_config: Text,
    vrrl: Option<Own>,
}

#[derive(Default, Deserialize)]
struct Text {
    max_position_embeddings: Option<usize>,
}

#[derive(Deserialize)]
struct Own {
    format: u32,
    position_slots: Option<usize>,
}

/// `preprocessor_config.json`, the keys that transformers writes.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub(crate) struct Pictures {
    #[serde(default)]
    do_resize: bool,
    pub size: Size,
    #[serde(default = "yes")]
    do_rescale: bool,
    #[serde(default = "byte")]
    rescale_factor: f64,
    #[serde(default)]
    do_normalize: bool,
    #[serde(default = "zeros")]
    image_mean: [f64; 3],
    #[serde(default = "ones")]
    image_std: [f64; 3],
    #[serde(default)]
    do_image_splitting: bool,
}

/// Pixels.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub(crate) struct Size {
    pub height: u32,
    pub width: u32,
}

fn yes() -> bool {
    true
}

fn byte() -> f64 {
    1.0 / 255.0
}

fn zeros() -> [f64; 3] {
    [0.0; 3]
}

fn ones() -> [f64; 3] {
    [1.0; 3]
}

/// Reads `DIR` or `DIR#VARIANT`; without a variant the plain graphs are taken, else the only variant there is.
pub(crate) fn read(word: &str) -> Result<Layout, Error> {
    let (dir, wanted) = match word.rsplit_once('#') {
        Some((dir, variant)) if !Path::new(word).exists() => (Path::new(dir), Some(variant)),
        _ => (Path::new(word), None),
    };
    let suffix = choose(dir, wanted)?;
    let graphs = GRAPHS.map(|graph| dir.join(format!("{graph}{suffix}.onnx")));
    let (mut bytes, mut hashes) = (0, Vec::new());
    for path in &graphs {
        header::check(path)?;
        let mut data = path.clone().into_os_string();
        data.push("_data");
        for path in [path.clone(), PathBuf::from(data)].iter().filter(|path| path.exists()) {
            let content = file(path)?;
            bytes += content.len() as u64;
            hashes.push(sha256_hex(&content));
        }
    }
    let mut text = |name: &str| -> Result<(PathBuf, Vec<u8>), Error> {
        let path = dir.join(name);
        let content = file(&path)?;
        hashes.push(sha256_hex(&content));
        Ok((path, content))
    };
    let (path, content) = text(CONFIG)?;
    let config: Config = json(&path, &content)?;
    if let Some(own) = config.vrrl.as_ref().filter(|own| own.format > FORMAT) {
        let reason = format!("its format {} is newer than {FORMAT}; update vrrl", own.format);
        return Err(Error::File { path, reason });
    }
    let positions = match config.vrrl.and_then(|own| own.position_slots) {
        Some(0) => return Err(Error::File { path, reason: "`position_slots` is 0".into() }),
        Some(slots) => Positions::Turns(slots),
        None => Positions::Through(config.text_config.max_position_embeddings),
    };
    let (path, content) = text(PICTURES)?;
    let pictures: Pictures = json(&path, &content)?;
    pictures.check(&path)?;
    let (path, content) = text(TOKENIZER)?;
    let words = String::from_utf8_lossy(&content);
    if serde_json::from_str::<serde_json::Value>(&words).is_ok_and(|value| value.get("model").is_some()) {
        let reason =
            "a tokenizer of the `tokenizers` library; ort: reads word lists as `vrrl export --onnx` writes \
                      them. Serve this model behind an endpoint and score it as openai:URL#NAME";
        return Err(Error::Unsupported { path, reason: reason.into() });
    }
    let tokenizer = Tokenizer::from_json(&words, &path)?;
    let folder = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let folder = folder.file_name().map_or_else(|| "onnx".into(), |n| n.to_string_lossy().into_owned());
    let name = if suffix.is_empty() { folder } else { format!("{folder}#{}", &suffix[1..]) };
    let fingerprint = sha256_hex(hashes.concat().as_bytes());
    Ok(Layout { graphs, bytes, tokenizer, pictures, positions, name, fingerprint })
}

/// `""` or `_VARIANT`.
fn choose(dir: &Path, wanted: Option<&str>) -> Result<String, Error> {
    let whole = |suffix: &str| GRAPHS.iter().all(|g| dir.join(format!("{g}{suffix}.onnx")).exists());
    if let Some(variant) = wanted {
        return Ok(format!("_{variant}"));
    }
    let there: Vec<String> = SUFFIXES.iter().map(|s| format!("_{s}")).filter(|s| whole(s)).collect();
    match &there[..] {
        [only] if !whole("") => Ok(only.clone()),
        [_, _, ..] if !whole("") => Err(Error::Unsupported {
            path: dir.to_owned(),
            reason: format!(
                "there are several variants ({}); choose one, as in ort:DIR#{}",
                there.iter().map(|s| &s[1..]).collect::<Vec<_>>().join(", "),
                &there[0][1..]
            ),
        }),
        _ => Ok(String::new()),
    }
}

fn file(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::Io { path: path.to_owned(), source })
}

fn json<T: for<'d> Deserialize<'d>>(path: &Path, content: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(content).map_err(|e| Error::File { path: path.to_owned(), reason: e.to_string() })
}

impl Pictures {
    fn check(&self, path: &Path) -> Result<(), Error> {
        let refuse = |reason: &str| Err(Error::Unsupported { path: path.to_owned(), reason: reason.into() });
        if self.size.height == 0 || self.size.width == 0 || self.size.height.max(self.size.width) > 8192 {
            return refuse("`size` must be 1 to 8192 pixels");
        }
        if self.do_image_splitting {
            return refuse("pictures cut into tiles (do_image_splitting) are not read; export without");
        }
        if self.image_std.iter().any(|s| *s == 0.0 || !s.is_finite()) {
            return refuse("`image_std` holds 0");
        }
        Ok(())
    }

    /// Whether small drawings fit.
    pub fn small(&self) -> bool {
        self.size.height.max(self.size.width) <= 64
    }

    /// The picture as `[3, height, width]`. One of another size is scaled where the file says `do_resize`, else
    /// cropped, or padded with 0.
    pub fn numbers(&self, image: &Image) -> Vec<f32> {
        let Size { height, width } = self.size;
        let scaled;
        let image = if self.do_resize && image.dimensions() != (width, height) {
            scaled = scale(image, self.size);
            &scaled
        } else {
            image
        };
        let mut out = Vec::with_capacity((3 * height * width) as usize);
        for c in 0..3 {
            let table: Vec<f32> = (0..=255u8).map(|p| self.number(p, c)).collect();
            for y in 0..height {
                for x in 0..width {
                    let inside = x < image.width() && y < image.height();
                    out.push(if inside { table[image.get_pixel(x, y).0[c] as usize] } else { 0.0 });
                }
            }
        }
        out
    }

    fn number(&self, pixel: u8, channel: usize) -> f32 {
        let mut x = f64::from(pixel);
        if self.do_rescale {
            x *= self.rescale_factor;
        }
        if self.do_normalize {
            x = (x - self.image_mean[channel]) / self.image_std[channel];
        }
        x as f32
    }
}

/// Linear in both directions, pixel centres aligned, edges repeated; no smoothing when shrinking.
fn scale(image: &Image, size: Size) -> Image {
    let place = |at: u32, to: u32, from: u32| {
        let x = (f64::from(at) + 0.5) * f64::from(from) / f64::from(to) - 0.5;
        let x = x.clamp(0.0, f64::from(from - 1));
        (x as u32, (x as u32 + 1).min(from - 1), x.fract())
    };
    Image::from_fn(size.width, size.height, |x, y| {
        let (x0, x1, fx) = place(x, size.width, image.width());
        let (y0, y1, fy) = place(y, size.height, image.height());
        let mut pixel = *image.get_pixel(x0, y0);
        for c in 0..3 {
            let at = |x, y| f64::from(image.get_pixel(x, y).0[c]);
            let (top, low) =
                (at(x0, y0) * (1.0 - fx) + at(x1, y0) * fx, at(x0, y1) * (1.0 - fx) + at(x1, y1) * fx);
            pixel.0[c] = (top * (1.0 - fy) + low * fy).round() as u8;
        }
        pixel
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pictures(extra: &str) -> Pictures {
        let text = format!("{{\"size\": {{\"height\": 2, \"width\": 2}}, \"do_normalize\": true{extra}}}");
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn pixels_become_planes() {
        let image = Image::from_fn(2, 2, |x, y| image::Rgb([255 * x as u8, 255 * y as u8, 0]));
        let half = pictures(", \"image_mean\": [0.5, 0.5, 0.5], \"image_std\": [0.5, 0.5, 0.5]");
        assert_eq!(half.numbers(&image), [-1., 1., -1., 1., -1., -1., 1., 1., -1., -1., -1., -1.]);
        let small = Image::from_pixel(1, 1, image::Rgb([255; 3]));
        assert_eq!(half.numbers(&small)[..4], [1.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn other_sizes_are_scaled_where_the_file_says_so() {
        let image = Image::from_fn(4, 4, |x, _| image::Rgb([if x < 2 { 0 } else { 255 }; 3]));
        assert_eq!(pictures(", \"do_resize\": true").numbers(&image)[..4], [0.0, 1.0, 0.0, 1.0]);
        let one = Image::from_pixel(1, 1, image::Rgb([255; 3]));
        assert_eq!(pictures(", \"do_resize\": true").numbers(&one), [1.0; 12]);
    }
}
