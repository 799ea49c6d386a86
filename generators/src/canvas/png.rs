//! Pictures to PNG bytes.
//!
//! The encoder is our own: bytes of generated data must not change with a library's version, and flat
//! pictures allow a much faster search than a general compressor's. A palette is used up to 256 colours;
//! matches are looked for in two places only, the pixel to the left and the row above.

use vrrl_harness_core::Image;

/// A PNG file of `image` (8 bits, palette up to 256 colours, else RGB); the same bytes on every machine.
#[must_use]
pub fn png(image: &Image) -> Vec<u8> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let (raw, palette) = match indexed(image, width) {
        Some((raw, palette)) => (raw, Some(palette)),
        None => (plain(image, width), None),
    };
    let depth = if palette.is_some() { 1 } else { 3 };
    let mut file = Vec::with_capacity(16 << 10);
    file.extend_from_slice(b"\x89PNG\r\n\x1a\n");
    let mut header = Vec::with_capacity(13);
    header.extend((width as u32).to_be_bytes());
    header.extend((height as u32).to_be_bytes());
    header.extend([8, if palette.is_some() { 3 } else { 2 }, 0, 0, 0]);
    chunk(&mut file, b"IHDR", &header);
    if let Some(palette) = palette {
        chunk(&mut file, b"PLTE", &palette);
    }
    chunk(&mut file, b"IDAT", &zlib(&raw, width * depth + 1, depth));
    chunk(&mut file, b"IEND", &[]);
    file
}

/// Rows of RGB, each behind its filter byte (0: none).
fn plain(image: &Image, width: usize) -> Vec<u8> {
    let mut raw = Vec::with_capacity(image.len() + image.height() as usize);
    for row in image.chunks_exact((width * 3).max(1)) {
        raw.push(0);
        raw.extend_from_slice(row);
    }
    raw
}

/// Rows of palette indices, each behind its filter byte, and the palette; `None` beyond 256 colours.
fn indexed(image: &Image, width: usize) -> Option<(Vec<u8>, Vec<u8>)> {
    /// Pixels compared at once with the row above.
    const BLOCK: usize = 8;
    let pixels: &[u8] = image;
    let mut raw = Vec::with_capacity(pixels.len() / 3 + image.height() as usize);
    let mut colours = Colours::new();
    let mut before: &[u8] = &[];
    for row in pixels.chunks_exact((width * 3).max(1)) {
        let above = raw.len().wrapping_sub(width);
        raw.push(0);
        for (at, block) in row.chunks(BLOCK * 3).enumerate() {
            let from = at * BLOCK * 3;
            if before.get(from..from + block.len()) == Some(block) {
                let start = above + at * BLOCK;
                raw.extend_from_within(start..start + block.len() / 3);
            } else {
                for pixel in block.chunks_exact(3) {
                    raw.push(colours.index(u32::from_le_bytes([pixel[0], pixel[1], pixel[2], 0]))?);
                }
            }
        }
        before = row;
    }
    Some((raw, colours.palette))
}

/// The palette under construction: an open hash table from colour to index.
struct Colours {
    slots: Vec<u32>,
    palette: Vec<u8>,
    last: (u32, u8),
}

impl Colours {
    const SLOTS: usize = 1024;
    const EMPTY: u32 = u32::MAX;

    fn new() -> Self {
        Self { slots: vec![Self::EMPTY; Self::SLOTS], palette: Vec::with_capacity(768), last: (Self::EMPTY, 0) }
    }

    fn index(&mut self, colour: u32) -> Option<u8> {
        if colour == self.last.0 {
            return Some(self.last.1);
        }
        let mut slot = (colour.wrapping_mul(0x9e37_79b1) >> 22) as usize;
        let index = loop {
            // A slot holds the colour below and its index in the top byte.
            let held = self.slots[slot];
            if held == Self::EMPTY {
                let index = u8::try_from(self.palette.len() / 3).ok()?;
                self.palette.extend_from_slice(&colour.to_le_bytes()[..3]);
                self.slots[slot] = colour | u32::from(index) << 24;
                break index;
            }
            if held & 0x00ff_ffff == colour {
                break (held >> 24) as u8;
            }
            slot = (slot + 1) % Self::SLOTS;
        };
        self.last = (colour, index);
        Some(index)
    }
}

/// One zlib stream with one block of fixed Huffman codes (RFC 1950, 1951).
fn zlib(raw: &[u8], stride: usize, left: usize) -> Vec<u8> {
    const LONGEST: usize = 258;
    let mut bits = Bits { out: Vec::with_capacity(raw.len() / 16 + 64), held: 0, count: 0 };
    bits.out.extend([0x78, 0x01]);
    bits.put(0b011, 3);
    let (near, up) = (Distance::new(left), Distance::new(stride));
    let mut at = 0;
    while at < raw.len() {
        let rest = &raw[at..];
        let above = up.as_ref().filter(|_| at >= stride).map_or(0, |_| common(rest, &raw[at - stride..]));
        let mut best = (above, &up);
        if above < LONGEST && at >= left {
            let beside = common(rest, &raw[at - left..]);
            if beside > above {
                best = (beside, &near);
            }
        }
        match best {
            (length, Some(distance)) if length >= 4 => {
                // A remainder below 3 could not be coded; leave it to literals.
                let mut todo = length;
                while todo >= 3 {
                    let piece = todo.min(LONGEST);
                    bits.length(piece);
                    bits.distance(distance);
                    todo -= piece;
                }
                at += length - todo;
            }
            _ => {
                bits.literal(rest[0]);
                at += 1;
            }
        }
    }
    bits.put(0, 7);
    let mut out = bits.finish();
    out.extend(adler(raw).to_be_bytes());
    out
}

/// Length of the common start; `b` is the longer one and may overlap `a`.
fn common(a: &[u8], b: &[u8]) -> usize {
    let mut length = 0;
    for (x, y) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        let differ = word(x) ^ word(y);
        if differ != 0 {
            return length + differ.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    length + a[length..].iter().zip(&b[length..]).take_while(|(x, y)| x == y).count()
}

fn word(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("chunks of eight"))
}

/// How a fixed distance is written; `None` from [`Distance::new`] if it is beyond the window.
struct Distance {
    code: u32,
    extra: u32,
    extra_bits: u32,
}

impl Distance {
    fn new(distance: usize) -> Option<Self> {
        if !(1..=32768).contains(&distance) {
            return None;
        }
        let less = distance as u32 - 1;
        if less < 4 {
            return Some(Self { code: less, extra: 0, extra_bits: 0 });
        }
        // Two codes for each power of two from 4 on.
        let power = less.ilog2();
        let extra_bits = power - 1;
        let code = 2 * power + (less >> extra_bits & 1);
        Some(Self { code, extra: less & ((1 << extra_bits) - 1), extra_bits })
    }
}

/// Bits, lowest first.
struct Bits {
    out: Vec<u8>,
    held: u64,
    count: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        self.held |= u64::from(value) << self.count;
        self.count += count;
        if self.count >= 32 {
            self.out.extend((self.held as u32).to_le_bytes());
            self.held >>= 32;
            self.count -= 32;
        }
    }

    /// Huffman codes stand with their highest bit first.
    fn code(&mut self, code: u32, count: u32) {
        self.put(code.reverse_bits() >> (32 - count), count);
    }

    fn literal(&mut self, byte: u8) {
        match u32::from(byte) {
            low @ 0..=143 => self.code(0x30 + low, 8),
            high => self.code(0x190 + high - 144, 9),
        }
    }

    /// A match length of 3 to 258.
    fn length(&mut self, length: usize) {
        let less = length as u32 - 3;
        let (symbol, extra, extra_bits) = if length == 258 {
            (28, 0, 0)
        } else if less < 8 {
            (less, 0, 0)
        } else {
            // Four symbols for each power of two from 8 on.
            let extra_bits = less.ilog2() - 2;
            (4 * extra_bits + (less >> extra_bits), less & ((1 << extra_bits) - 1), extra_bits)
        };
        // Symbols 257 to 279 have seven bits, 280 to 285 eight.
        match symbol + 1 {
            low @ 0..=23 => self.code(low, 7),
            high => self.code(0xc0 + high - 24, 8),
        }
        self.put(extra, extra_bits);
    }

    fn distance(&mut self, distance: &Distance) {
        self.code(distance.code, 5);
        self.put(distance.extra, distance.extra_bits);
    }

    fn finish(mut self) -> Vec<u8> {
        let bytes = self.count.div_ceil(8) as usize;
        self.out.extend_from_slice(&self.held.to_le_bytes()[..bytes]);
        self.out
    }
}

fn adler(bytes: &[u8]) -> u32 {
    const PRIME: u64 = 65521;
    const LANES: usize = 32;
    let (mut a, mut b) = (1u64, 0u64);
    // Per run: b grows by a for every byte, plus each byte times what follows it. Small enough for u32.
    for run in bytes.chunks(2048) {
        let blocks = run.chunks_exact(LANES);
        let tail = blocks.remainder();
        let mut sums = [0u32; LANES];
        let mut earlier = [0u32; LANES];
        for block in blocks {
            for lane in 0..LANES {
                earlier[lane] += sums[lane];
                sums[lane] += u32::from(block[lane]);
            }
        }
        let whole = (run.len() - tail.len()) as u64;
        b += a * whole;
        for lane in 0..LANES {
            b += u64::from(earlier[lane]) * LANES as u64 + u64::from(sums[lane]) * (LANES - lane) as u64;
            a += u64::from(sums[lane]);
        }
        for &byte in tail {
            a += u64::from(byte);
            b += a;
        }
        a %= PRIME;
        b %= PRIME;
    }
    (b << 16 | a) as u32
}

fn chunk(file: &mut Vec<u8>, name: &[u8; 4], data: &[u8]) {
    file.extend((data.len() as u32).to_be_bytes());
    let from = file.len();
    file.extend_from_slice(name);
    file.extend_from_slice(data);
    let sum = crc(&file[from..]);
    file.extend(sum.to_be_bytes());
}

fn crc(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            let mut value = byte as u32;
            let mut bit = 0;
            while bit < 8 {
                value = if value & 1 == 1 { 0xedb8_8320 ^ value >> 1 } else { value >> 1 };
                bit += 1;
            }
            table[byte] = value;
            byte += 1;
        }
        table
    };
    !bytes.iter().fold(!0, |sum, &byte| TABLE[((sum ^ u32::from(byte)) & 255) as usize] ^ sum >> 8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(bytes: &[u8]) -> Image {
        image::load_from_memory_with_format(bytes, image::ImageFormat::Png).unwrap().to_rgb8()
    }

    #[test]
    fn checksums_have_their_published_values() {
        assert_eq!(crc(b"123456789"), 0xcbf4_3926);
        assert_eq!(adler(b"Wikipedia"), 0x11e6_0398);
        let long: Vec<u8> = (0..100_000u32).map(|i| (i * 7 % 251) as u8).collect();
        let (mut a, mut b) = (1u32, 0u32);
        for &byte in &long {
            a = (a + u32::from(byte)) % 65521;
            b = (b + a) % 65521;
        }
        assert_eq!(adler(&long), b << 16 | a);
    }

    #[test]
    fn many_colours_and_long_runs_survive() {
        let noisy = Image::from_fn(300, 200, |x, y| image::Rgb([x as u8, y as u8, (x * y) as u8]));
        assert_eq!(decoded(&png(&noisy)), noisy);
        let flat = Image::from_pixel(700, 500, image::Rgb([1, 2, 3]));
        assert!(png(&flat).len() < 3000);
        assert_eq!(decoded(&png(&flat)), flat);
    }

    proptest! {
        #[test]
        fn any_picture_survives(width in 1u32..70, height in 1u32..40, colours in 1u32..400, run in 1u32..30, salt in any::<u32>()) {
            let image = Image::from_fn(width, height, |x, y| {
                let value = (x / run + y / run * 31).wrapping_mul(salt | 1) % colours;
                image::Rgb([value as u8, (value >> 4) as u8, (value * 7) as u8])
            });
            prop_assert_eq!(decoded(&png(&image)), image);
        }
    }
}
