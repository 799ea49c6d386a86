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
    let mut raw = Raw { bytes: Vec::with_capacity(height * stride / 2), rows: Vec::with_capacity(height) };
    let mut bits = Bits::new();
    let mut colours = Colours::new();
    let mut seen = Seen::new();
    let mut sums = Sums { a: 1, b: 0 };
    let mut of_row = 0;
    let above = Code::distance(stride.min(WINDOW));
    for y in 0..height {
        bits.literal(0);
        let row = &pixels[y * width * 3..(y + 1) * width * 3];
        // The row above once more, as most of a drawing's are: nothing to look for.
        if y > 0 && (4..WINDOW).contains(&(stride - 1)) && *row == pixels[(y - 1) * width * 3..y * width * 3]
        {
            seen.twin(row, y * width);
            bits.twin(width * DEPTH, above);
            raw.rows.push(raw.rows[y - 1]);
            sums.add(of_row, stride);
            continue;
        }
        raw.rows.push(raw.bytes.len());
        raw.bytes.push(0);
        let mut x = 0;
        while x < width {
            let twin = longest::<DEPTH>(pixels, width, [x, y], &mut seen);
            if twin.length * DEPTH >= 4 {
                let from = raw.rows[twin.row] + 1 + twin.column * DEPTH;
                raw.repeat(from, twin.length * DEPTH);
                bits.twin(twin.length * DEPTH, Code::distance(twin.back));
                x += twin.length;
            } else {
                let pixel = &row[x * 3..][..3];
                if DEPTH == 1 {
                    raw.bytes.push(colours.index(u32::from_le_bytes([pixel[0], pixel[1], pixel[2], 0]))?);
                } else {
                    raw.bytes.extend_from_slice(pixel);
                }
                raw.bytes[raw.bytes.len() - DEPTH..].iter().for_each(|&byte| bits.literal(byte));
                x += 1;
            }
        }
        of_row = simd_adler32::adler32(&&raw.bytes[raw.rows[y]..]);
        sums.add(of_row, stride);
    }
    let mut data = bits.finish();
    data.extend((sums.b << 16 | sums.a).to_be_bytes());
    Some((data, colours.palette))
}

/// What is compressed: the bytes of rows, each with its filter byte; a row that repeats the one above stands once.
struct Raw {
    bytes: Vec<u8>,
    /// Where each row of the picture begins.
    rows: Vec<usize>,
}

impl Raw {
    /// Appends `length` bytes that stand at `from`; a longer copy repeats itself.
    fn repeat(&mut self, mut from: usize, mut length: usize) {
        while length > 0 {
            let piece = length.min(self.bytes.len() - from);
            self.bytes.extend_from_within(from..from + piece);
            (from, length) = (from + piece, length - piece);
        }
    }
}

/// The two sums of Adler-32 over rows, one after the other.
struct Sums {
    a: u32,
    b: u32,
}

impl Sums {
    /// Appends `length` bytes whose own checksum is `sum`.
    fn add(&mut self, sum: u32, length: usize) {
        const PRIME: u64 = 65521;
        let (own_a, own_b) = (u64::from(sum & 0xffff), u64::from(sum >> 16));
        let [a, b, length] = [u64::from(self.a), u64::from(self.b), length as u64 % PRIME];
        // A checksum's own a begins with one, which its b has taken up for every byte.
        self.b = ((b + own_b + length * (a + PRIME - 1)) % PRIME) as u32;
        self.a = ((a + own_a + PRIME - 1) % PRIME) as u32;
    }
}

/// A run of pixels that stands before.
#[derive(Clone, Copy, Default)]
struct Twin {
    /// In pixels.
    length: usize,
    row: usize,
    column: usize,
    /// In bytes of what is compressed.
    back: usize,
}

/// The longest run of pixels, within their rows, that equals what stands at `[x, y]`: in the row above, from
/// the pixel to the left, or where the same bytes were looked up last.
fn longest<const DEPTH: usize>(pixels: &[u8], width: usize, [x, y]: [usize; 2], seen: &mut Seen) -> Twin {
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
    let mut best = Twin::default();
    if y > 0 && stride <= WINDOW {
        best = Twin { length: run(place - width, 0), row: y - 1, column: x, back: stride };
    }
    if x > 0 {
        let length = run(place - 1, best.length);
        if length > best.length {
            best = Twin { length, row: y, column: x - 1, back: DEPTH };
        }
    }
    if let Some(twin) = seen.twin(rest, place) {
        let length = run(twin, best.length);
        if length > best.length {
            let (row, column) = (twin / width, twin % width);
            let back = (y - row) * stride + x * DEPTH - column * DEPTH;
            let length = length.min(width - column);
            if back <= WINDOW && length > best.length {
                best = Twin { length, row, column, back };
            }
        }
    }
    best
}

/// Where pixels were looked up last: a table that forgets on collision.
struct Seen(Vec<u32>);

impl Seen {
    const BITS: u32 = 12;

    fn new() -> Self {
        Self(vec![u32::MAX; 1 << Self::BITS])
    }

    /// Where pixels that begin like `rest` may stand; from now on they stand at `place`.
    fn twin(&mut self, rest: &[u8], place: usize) -> Option<usize> {
        let mixed = word(rest.get(..8)?).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let slot = &mut self.0[(mixed >> (64 - Self::BITS)) as usize];
        let twin = std::mem::replace(slot, u32::try_from(place).unwrap_or(u32::MAX));
        (twin != u32::MAX).then_some(twin as usize)
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

/// A code with the bits behind it, as they are written: lowest first.
#[derive(Clone, Copy)]
struct Code {
    value: u32,
    count: u32,
}

impl Code {
    /// Huffman codes stand with their highest bit first, what follows them with its lowest.
    const fn new(code: u32, count: u32, extra: u32, extra_bits: u32) -> Self {
        let turned = code.reverse_bits() >> (32 - count);
        Self { value: turned | extra << count, count: count + extra_bits }
    }

    const fn literal(byte: u8) -> Self {
        match byte as u32 {
            low @ 0..=143 => Self::new(0x30 + low, 8, 0, 0),
            high => Self::new(0x190 + high - 144, 9, 0, 0),
        }
    }

    /// A match length of 3 to 258.
    const fn length(length: usize) -> Self {
        let less = length as u32 - 3;
        let (symbol, extra, extra_bits) = if length == LONGEST {
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
            low @ 0..=23 => Self::new(low, 7, extra, extra_bits),
            high => Self::new(0xc0 + high - 24, 8, extra, extra_bits),
        }
    }

    /// A distance within the window.
    fn distance(distance: usize) -> Self {
        let less = distance as u32 - 1;
        if less < 4 {
            return Self::new(less, 5, 0, 0);
        }
        // Two codes for each power of two from 4 on.
        let power = less.ilog2();
        let extra_bits = power - 1;
        Self::new(2 * power + (less >> extra_bits & 1), 5, less & ((1 << extra_bits) - 1), extra_bits)
    }

    /// Two codes, one behind the other; of a length and a distance: 31 bits at most.
    const fn then(self, next: Self) -> Self {
        Self { value: self.value | next.value << self.count, count: self.count + next.count }
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
        bits.put(Code { value: 0b011, count: 3 });
        bits
    }

    /// At least three bytes that stand at `distance` before, too.
    fn twin(&mut self, mut length: usize, distance: Code) {
        const WHOLE: Code = Code::length(LONGEST);
        let whole = WHOLE.then(distance);
        // Matches of one or two bytes cannot be written: three are left for the last.
        while length >= LONGEST + 3 || length == LONGEST {
            self.put(whole);
            length -= LONGEST;
        }
        if length > LONGEST {
            self.put(Code::length(LONGEST - 3).then(distance));
            length -= LONGEST - 3;
        }
        if length > 0 {
            self.put(Code::length(length).then(distance));
        }
    }

    #[inline]
    fn put(&mut self, code: Code) {
        self.held |= u64::from(code.value) << self.count;
        self.count += code.count;
        if self.count >= 32 {
            self.out.extend((self.held as u32).to_le_bytes());
            self.held >>= 32;
            self.count -= 32;
        }
    }

    fn literal(&mut self, byte: u8) {
        const CODES: [Code; 256] = {
            let mut codes = [Code { value: 0, count: 0 }; 256];
            let mut byte = 0;
            while byte < 256 {
                codes[byte] = Code::literal(byte as u8);
                byte += 1;
            }
            codes
        };
        self.put(CODES[usize::from(byte)]);
    }

    /// The stream up to its checksum.
    fn finish(mut self) -> Vec<u8> {
        self.put(Code { value: 0, count: 7 });
        let bytes = self.count.div_ceil(8) as usize;
        self.out.extend_from_slice(&self.held.to_le_bytes()[..bytes]);
        self.out
    }
}

fn chunk(file: &mut Vec<u8>, name: &[u8; 4], data: &[u8]) {
    file.extend((data.len() as u32).to_be_bytes());
    let from = file.len();
    file.extend_from_slice(name);
    file.extend_from_slice(data);
    let sum = crc32fast::hash(&file[from..]);
    file.extend(sum.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(bytes: &[u8]) -> Image {
        image::load_from_memory_with_format(bytes, image::ImageFormat::Png).unwrap().to_rgb8()
    }

    #[test]
    fn sums_of_rows_are_the_sum_of_all() {
        let long: Vec<u8> = (0..100_000u32).map(|i| (i * 7 % 251) as u8).collect();
        for length in [1, 3, 1106, 65_521, 70_000] {
            let mut sums = Sums { a: 1, b: 0 };
            long.chunks(length).for_each(|row| sums.add(simd_adler32::adler32(&row), row.len()));
            assert_eq!(sums.b << 16 | sums.a, simd_adler32::adler32(&long.as_slice()), "{length}");
        }
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
