//! Pictures to PNG bytes.
//!
//! The encoder is our own: bytes of generated data must not change with a library's version, and flat
//! pictures allow a much faster search than a general compressor's. A palette is used up to 256 colours;
//! matches are looked for in three places only: the pixel to the left, the row above, and where the same eight
//! bytes stood last.

use vrrl_harness_core::Image;

/// A PNG file of `image` (8 bits, palette up to 256 colours, else RGB); the same bytes on every machine.
#[must_use]
pub fn png(image: &Image) -> Vec<u8> {
    let (data, palette) = match compress::<1>(image) {
        Some((data, palette)) => (data, Some(palette)),
        None => (compress::<3>(image).expect("RGB needs no palette").0, None),
    };
    let mut file = Vec::with_capacity(data.len() + 1024);
    file.extend_from_slice(b"\x89PNG\r\n\x1a\n");
    let mut header = Vec::with_capacity(13);
    header.extend(image.width().to_be_bytes());
    header.extend(image.height().to_be_bytes());
    header.extend([8, if palette.is_some() { 3 } else { 2 }, 0, 0, 0]);
    chunk(&mut file, b"IHDR", &header);
    if let Some(palette) = palette {
        chunk(&mut file, b"PLTE", &palette);
    }
    chunk(&mut file, b"IDAT", &data);
    chunk(&mut file, b"IEND", &[]);
    file
}

/// Farthest match that deflate can name, and the longest.
const WINDOW: usize = 32768;
const LONGEST: usize = 258;

/// The zlib stream (one block of fixed Huffman codes, RFC 1950 and 1951) and the palette. A pixel takes
/// `DEPTH` bytes: 1 for a palette index, 3 for RGB; `None` if the palette is full.
///
/// One pass: matches are found on the RGB pixels, so that only pixels without a twin are looked up in the
/// palette. They end with their row, whose filter byte (0: none) does not stand among the pixels.
fn compress<const DEPTH: usize>(image: &Image) -> Option<(Vec<u8>, Vec<u8>)> {
    let pixels: &[u8] = image;
    let (width, height) = (image.width() as usize, image.height() as usize);
    let stride = width * DEPTH + 1;
    let mut raw = Vec::with_capacity(height * stride);
    let mut bits = Bits::new();
    let mut colours = Colours::new();
    let mut seen = Seen::new();
    for y in 0..height {
        bits.literal(0);
        raw.push(0);
        let mut x = 0;
        while x < width {
            let (length, back) = longest::<DEPTH>(pixels, width, [x, y], &mut seen);
            if length * DEPTH >= 4 {
                repeat(&mut raw, length * DEPTH, back);
                bits.twin(length * DEPTH, back);
                x += length;
            } else {
                let pixel = &pixels[(y * width + x) * 3..][..3];
                if DEPTH == 1 {
                    raw.push(colours.index(u32::from_le_bytes([pixel[0], pixel[1], pixel[2], 0]))?);
                } else {
                    raw.extend_from_slice(pixel);
                }
                raw[raw.len() - DEPTH..].iter().for_each(|&byte| bits.literal(byte));
                x += 1;
            }
        }
    }
    let mut data = bits.finish();
    data.extend(adler(&raw).to_be_bytes());
    Some((data, colours.palette))
}

/// Appends `length` bytes that stand `back` bytes before the end; a longer copy repeats itself.
fn repeat(raw: &mut Vec<u8>, mut length: usize, back: usize) {
    let from = raw.len() - back;
    while length > 0 {
        let piece = length.min(raw.len() - from);
        raw.extend_from_within(from..from + piece);
        length -= piece;
    }
}

/// The longest run of pixels, within their rows, that equals what stands at `[x, y]`: in the row above, from
/// the pixel to the left, or where the same bytes were looked up last. Its length in pixels, and how many
/// bytes of `DEPTH` a pixel and one filter byte a row it stands back.
fn longest<const DEPTH: usize>(
    pixels: &[u8],
    width: usize,
    [x, y]: [usize; 2],
    seen: &mut Seen,
) -> (usize, usize) {
    /// Long enough not to look further, in pixels.
    const GOOD: usize = 48;
    let stride = width * DEPTH + 1;
    let place = y * width + x;
    let rest = &pixels[place * 3..(y + 1) * width * 3];
    // A longer run than `least` has the next pixel right; most have not.
    let run = |twin: usize, least: usize| {
        let (next, from) = (least * 3, (twin + least) * 3);
        let longer =
            least < GOOD && rest.get(next..next + 3).is_some_and(|pixel| pixel == &pixels[from..from + 3]);
        if longer {
            common(rest, &pixels[twin * 3..]) / 3
        } else {
            0
        }
    };
    let mut best = (0, 0);
    if y > 0 && stride <= WINDOW {
        best = (run(place - width, 0), stride);
    }
    if x > 0 {
        let length = run(place - 1, best.0);
        if length > best.0 {
            best = (length, DEPTH);
        }
    }
    if let Some(twin) = seen.twin(rest, place) {
        let length = run(twin, best.0);
        if length > best.0 {
            let (row, column) = (twin / width, twin % width);
            let back = (y - row) * stride + x * DEPTH - column * DEPTH;
            let length = length.min(width - column);
            if back <= WINDOW && length > best.0 {
                best = (length, back);
            }
        }
    }
    best
}

/// Where pixels were looked up last: a table that forgets on collision.
struct Seen(Vec<usize>);

impl Seen {
    const BITS: u32 = 12;

    fn new() -> Self {
        Self(vec![usize::MAX; 1 << Self::BITS])
    }

    /// Where pixels that begin like `rest` may stand; from now on they stand at `place`.
    fn twin(&mut self, rest: &[u8], place: usize) -> Option<usize> {
        let mixed = word(rest.get(..8)?).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let slot = &mut self.0[(mixed >> (64 - Self::BITS)) as usize];
        let twin = std::mem::replace(slot, place);
        (twin < place).then_some(twin)
    }
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
        Self {
            slots: vec![Self::EMPTY; Self::SLOTS],
            palette: Vec::with_capacity(768),
            last: (Self::EMPTY, 0),
        }
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

/// Length of the common start, no longer than `a`; `b` may overlap it.
#[inline]
fn common(a: &[u8], b: &[u8]) -> usize {
    let mut length = 0;
    for (x, y) in a.chunks_exact(32).zip(b.chunks_exact(32)) {
        if x != y {
            break;
        }
        length += 32;
    }
    for (x, y) in a[length..].chunks_exact(8).zip(b[length..].chunks_exact(8)) {
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

/// How a distance within the window is written.
struct Distance {
    code: u32,
    extra: u32,
    extra_bits: u32,
}

impl Distance {
    fn new(distance: usize) -> Self {
        let less = distance as u32 - 1;
        if less < 4 {
            return Self { code: less, extra: 0, extra_bits: 0 };
        }
        // Two codes for each power of two from 4 on.
        let power = less.ilog2();
        let extra_bits = power - 1;
        let code = 2 * power + (less >> extra_bits & 1);
        Self { code, extra: less & ((1 << extra_bits) - 1), extra_bits }
    }
}

/// Bits, lowest first.
struct Bits {
    out: Vec<u8>,
    held: u64,
    count: u32,
}

impl Bits {
    /// A zlib header and the start of a last block with fixed codes.
    fn new() -> Self {
        let mut bits = Self { out: Vec::with_capacity(16 << 10), held: 0, count: 0 };
        bits.out.extend([0x78, 0x01]);
        bits.put(0b011, 3);
        bits
    }

    /// At least three bytes that stand `back` bytes before, too.
    fn twin(&mut self, mut length: usize, back: usize) {
        let distance = Distance::new(back);
        while length > 0 {
            // Matches of one or two bytes cannot be written: leave three for the last.
            let piece =
                if length > LONGEST && length < LONGEST + 3 { LONGEST - 3 } else { length.min(LONGEST) };
            self.length(piece);
            self.distance(&distance);
            length -= piece;
        }
    }

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

    /// The stream up to its checksum.
    fn finish(mut self) -> Vec<u8> {
        self.put(0, 7);
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
    /// `TABLES[k][byte]`: what a byte does to the sum `k` bytes later.
    const TABLES: [[u32; 256]; 8] = {
        let mut tables = [[0; 256]; 8];
        let mut byte = 0;
        while byte < 256 {
            let mut value = byte as u32;
            let mut shift = 0;
            while shift < 64 {
                value = if value & 1 == 1 { 0xedb8_8320 ^ value >> 1 } else { value >> 1 };
                shift += 1;
                if shift % 8 == 0 {
                    tables[shift / 8 - 1][byte] = value;
                }
            }
            byte += 1;
        }
        tables
    };
    let blocks = bytes.chunks_exact(8);
    let tail = blocks.remainder();
    let sum = blocks.fold(!0u32, |sum, block| {
        let block = (word(block) ^ u64::from(sum)).to_le_bytes();
        (0..8).fold(0, |sum, i| sum ^ TABLES[7 - i][usize::from(block[i])])
    });
    !tail.iter().fold(sum, |sum, &byte| TABLES[0][((sum ^ u32::from(byte)) & 255) as usize] ^ sum >> 8)
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
        let wide = Image::from_fn(40_000, 3, |x, _| image::Rgb([(x / 1000) as u8, 0, 0]));
        assert_eq!(decoded(&png(&wide)), wide);
        let flat = Image::from_pixel(700, 500, image::Rgb([1, 2, 3]));
        assert!(png(&flat).len() < 5000);
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
