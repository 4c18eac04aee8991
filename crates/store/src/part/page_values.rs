//! Single values out of Parquet pages, without decoding the rest of the page. The point reader calls it with bytes as
//! they were stored: whatever is damaged, or of a form that merged parts do not have, is `None`, never a panic.
//! Format: <https://parquet.apache.org/docs/file-format/>.

use std::ops::Range;

/// What the point reader needs of a page's header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PageHeader {
    pub(super) kind: PageKind,
    pub(super) uncompressed_bytes: usize,
    pub(super) value_count: usize,
    pub(super) encoding: PageEncoding,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum PageKind {
    Data,
    Dictionary,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageEncoding {
    Plain,
    Codes,
    Delta,
}

/// Larger pages are left to the general reader.
const PAGE_BYTES_MAX: usize = 128 << 20;

/// A page's header and its compressed body.
pub(super) fn page(bytes: &[u8]) -> Option<(PageHeader, &[u8])> {
    let mut thrift = Thrift { bytes };
    let (mut kind, mut uncompressed, mut compressed) = (None, None, None);
    let (mut value_count, mut encoding) = (None, None);
    let mut field = 0;
    while let Some(wire) = thrift.field(&mut field)? {
        match (field, wire) {
            (1, wire) if is_int(wire) => kind = Some(thrift.int()?),
            (2, wire) if is_int(wire) => uncompressed = usize::try_from(thrift.int()?).ok(),
            (3, wire) if is_int(wire) => compressed = usize::try_from(thrift.int()?).ok(),
            // The headers of data and dictionary pages begin alike.
            (5 | 7, STRUCT) => {
                let mut inner = 0;
                while let Some(wire) = thrift.field(&mut inner)? {
                    match (inner, wire) {
                        (1, wire) if is_int(wire) => value_count = usize::try_from(thrift.int()?).ok(),
                        (2, wire) if is_int(wire) => encoding = Some(thrift.int()?),
                        _ => thrift.skip(wire, DEPTH_MAX)?,
                    }
                }
            }
            _ => thrift.skip(wire, DEPTH_MAX)?,
        }
    }
    let kind = match kind? {
        0 => PageKind::Data,
        2 => PageKind::Dictionary,
        _ => return None,
    };
    let encoding = match encoding? {
        0 => PageEncoding::Plain,
        2 | 8 => PageEncoding::Codes,
        5 => PageEncoding::Delta,
        _ => return None,
    };
    let uncompressed_bytes = uncompressed.filter(|bytes| *bytes <= PAGE_BYTES_MAX)?;
    let header = PageHeader { kind, uncompressed_bytes, value_count: value_count?, encoding };
    Some((header, thrift.bytes.get(..compressed?)?))
}

const STRUCT: u8 = 12;
const DEPTH_MAX: usize = 8;

fn is_int(wire: u8) -> bool {
    (4..=6).contains(&wire)
}

/// Thrift's compact protocol.
struct Thrift<'a> {
    bytes: &'a [u8],
}

impl Thrift<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn int(&mut self) -> Option<i64> {
        zigzag(&mut self.bytes)
    }

    /// The type of the next field, whose number is put into `field`; `Some(None)` at the end of the structure.
    fn field(&mut self, field: &mut i64) -> Option<Option<u8>> {
        let head = self.byte()?;
        if head == 0 {
            return Some(None);
        }
        *field = match head >> 4 {
            0 => self.int()?,
            step => field.checked_add(i64::from(step))?,
        };
        Some(Some(head & 15))
    }

    fn skip(&mut self, wire: u8, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match wire {
            1 | 2 => {}
            3 => drop(self.byte()?),
            4..=6 => drop(self.int()?),
            7 => self.bytes = self.bytes.get(8..)?,
            8 => {
                let len = usize::try_from(number(&mut self.bytes)?).ok()?;
                self.bytes = self.bytes.get(len..)?;
            }
            STRUCT => {
                let mut field = 0;
                while let Some(wire) = self.field(&mut field)? {
                    self.skip(wire, depth)?;
                }
            }
            // Lists and maps do not occur in the headers of pages.
            _ => return None,
        }
        Some(())
    }
}

/// A number of variable length, at the front of `bytes`, which it is taken from.
fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 127) << shift;
        if byte & 128 == 0 {
            return Some(value);
        }
    }
    None
}

fn zigzag(bytes: &mut &[u8]) -> Option<i64> {
    let value = number(bytes)?;
    Some((value >> 1).cast_signed() ^ -((value & 1).cast_signed()))
}

/// `width` bits from bit `idx * width` on; beyond the end of `bytes` there are zeros.
fn bits(bytes: &[u8], idx: usize, width: usize) -> u64 {
    let bit = idx.saturating_mul(width);
    let rest = bytes.get(bit / 8..).unwrap_or_default();
    let mut word = [0; 16];
    let len = rest.len().min(9);
    word[..len].copy_from_slice(&rest[..len]);
    let value = (u128::from_le_bytes(word) >> (bit % 8)) & ((1_u128 << width.min(64)) - 1);
    u64::try_from(value).unwrap_or(u64::MAX)
}

enum Run<'a> {
    Repeated(u32, usize),
    Packed(&'a [u8], usize),
}

/// The next run of Parquet's hybrid of runs and bit-packed groups.
fn run<'a>(bytes: &mut &'a [u8], width: usize) -> Option<Run<'a>> {
    let head = number(bytes)?;
    let count = usize::try_from(head >> 1).ok()?;
    if head & 1 == 0 {
        let value;
        (value, *bytes) = bytes.split_at_checked(width.div_ceil(8))?;
        return Some(Run::Repeated(u32::try_from(bits(value, 0, width)).ok()?, count));
    }
    let packed;
    (packed, *bytes) = bytes.split_at_checked(count.checked_mul(width)?)?;
    Some(Run::Packed(packed, count.checked_mul(8)?))
}

/// Of each wanted row, in ascending order, its place among the values of the page, or `None` where it is null. `levels`
/// are definition levels 0 and 1.
pub(super) fn places(mut levels: &[u8], wanted: impl Iterator<Item = usize>) -> Option<Vec<Option<usize>>> {
    let mut wanted = wanted.peekable();
    let mut places = Vec::with_capacity(wanted.size_hint().0);
    let (mut row, mut present) = (0_usize, 0_usize);
    while wanted.peek().is_some() {
        let run = run(&mut levels, 1)?;
        let count = match run {
            Run::Repeated(_, count) | Run::Packed(_, count) => count,
        };
        let end = row.checked_add(count)?;
        let mut counted = 0;
        while let Some(place) = wanted.next_if(|wanted| *wanted < end) {
            let inside = place.checked_sub(row)?;
            let is_present = match run {
                Run::Repeated(level, _) => {
                    counted = inside;
                    level == 1
                }
                Run::Packed(bytes, _) => {
                    present += ones(bytes, counted..inside);
                    counted = inside;
                    bits(bytes, inside, 1) == 1
                }
            };
            let before = match run {
                Run::Repeated(..) => inside,
                Run::Packed(..) => 0,
            };
            places.push(if is_present { Some(present.checked_add(before)?) } else { None });
        }
        present = match run {
            Run::Repeated(1, count) => present.checked_add(count)?,
            Run::Repeated(..) => present,
            Run::Packed(bytes, count) => present.checked_add(ones(bytes, counted..count))?,
        };
        row = end;
    }
    Some(places)
}

/// Bits that are set.
fn ones(bytes: &[u8], range: Range<usize>) -> usize {
    let mut count = 0;
    let mut bit = range.start;
    while bit < range.end {
        let byte = bytes.get(bit / 8).copied().unwrap_or(0) >> (bit % 8);
        let len = (8 - bit % 8).min(range.end - bit);
        count += (u32::from(byte) & ((1 << len) - 1)).count_ones() as usize;
        bit += len;
    }
    count
}

/// The codes at ascending places of a page of codes, which begins with their width.
pub(super) fn codes(values: &[u8], wanted: impl Iterator<Item = usize>) -> Option<Vec<u32>> {
    let (width, mut bytes) = values.split_first()?;
    let width = usize::from(*width);
    if width > 32 {
        return None;
    }
    let mut wanted = wanted.peekable();
    let mut codes = Vec::new();
    let mut place = 0_usize;
    while wanted.peek().is_some() {
        let run = run(&mut bytes, width)?;
        let end = match run {
            Run::Repeated(_, count) | Run::Packed(_, count) => place.checked_add(count)?,
        };
        while let Some(wanted) = wanted.next_if(|wanted| *wanted < end) {
            codes.push(match run {
                Run::Repeated(code, _) => code,
                Run::Packed(bytes, _) => {
                    u32::try_from(bits(bytes, wanted.checked_sub(place)?, width)).ok()?
                }
            });
        }
        place = end;
    }
    Some(codes)
}

/// Where texts at ascending places lie; one place may be wanted several times. Texts follow their lengths.
pub(super) fn texts(values: &[u8], wanted: impl Iterator<Item = usize>) -> Option<Vec<Range<usize>>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let (mut next, mut offset) = (0, 0_usize);
    for wanted in wanted {
        if next == wanted.checked_add(1)? {
            found.push(found.last()?.clone());
            continue;
        }
        while next < wanted {
            offset = text(values, offset)?.end;
            next += 1;
        }
        let range = text(values, offset)?;
        offset = range.end;
        next += 1;
        found.push(range);
    }
    Some(found)
}

fn text(values: &[u8], offset: usize) -> Option<Range<usize>> {
    let start = offset.checked_add(4)?;
    let len = u32::from_le_bytes(values.get(offset..start)?.try_into().ok()?);
    let end = start.checked_add(usize::try_from(len).ok()?)?;
    (end <= values.len()).then_some(start..end)
}

/// The bit at a place of a page of plain truths.
pub(super) fn flag(values: &[u8], place: usize) -> Option<bool> {
    Some(values.get(place / 8)? >> (place % 8) & 1 == 1)
}

/// Numbers at ascending places of a page of differences (`DELTA_BINARY_PACKED`).
pub(super) fn deltas(mut bytes: &[u8], wanted: impl Iterator<Item = usize>) -> Option<Vec<i64>> {
    let block_len = usize::try_from(number(&mut bytes)?).ok()?;
    let miniblock_count = usize::try_from(number(&mut bytes)?).ok()?;
    let value_count = usize::try_from(number(&mut bytes)?).ok()?;
    let mut value = zigzag(&mut bytes)?;
    let miniblock_len = block_len.checked_div(miniblock_count)?;
    if miniblock_len == 0 || miniblock_len % 8 != 0 {
        return None;
    }
    let mut wanted = wanted.peekable();
    let mut found = Vec::new();
    let mut place = 0_usize;
    let mut take = |place: usize, value: i64| {
        while wanted.next_if_eq(&place).is_some() {
            found.push(value);
        }
        wanted.peek().is_some_and(|wanted| *wanted > place)
    };
    let mut goes_on = take(place, value);
    while goes_on {
        let least = zigzag(&mut bytes)?;
        let widths;
        (widths, bytes) = bytes.split_at_checked(miniblock_count)?;
        for width in widths {
            if !goes_on {
                break;
            }
            let width = usize::from(*width);
            if width > 64 {
                return None;
            }
            let packed;
            (packed, bytes) = bytes.split_at_checked(miniblock_len.checked_mul(width)? / 8)?;
            for idx in 0..miniblock_len {
                place += 1;
                if place >= value_count {
                    return None;
                }
                let delta = least.wrapping_add(bits(packed, idx, width).cast_signed());
                value = value.wrapping_add(delta);
                goes_on = take(place, value);
                if !goes_on {
                    break;
                }
            }
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_the_rows_that_have_values() {
        // Ten rows with values, eight of which every other one has, then five without.
        let levels = [20, 1, 3, 0b0101_0101, 10, 0];
        let all = places(&levels, 0..23).unwrap();
        let mut expected: Vec<Option<usize>> = (0..10).map(Some).collect();
        expected.extend([Some(10), None, Some(11), None, Some(12), None, Some(13), None]);
        expected.extend([None; 5]);
        assert_eq!(all, expected);
        for row in 0..23 {
            assert_eq!(places(&levels, [row].into_iter()), Some(vec![expected[row]]), "{row}");
        }
        assert_eq!(places(&levels, [23].into_iter()), None);
    }

    #[test]
    fn what_is_cut_off_is_nothing() {
        assert_eq!(page(&[0x15, 0]), None);
        assert_eq!(codes(&[33, 2, 1], 0..1), None);
        assert_eq!(codes(&[1, 3], 0..1), None);
        assert_eq!(texts(&[9, 0, 0, 0, b'a'], 0..1), None);
        assert_eq!(deltas(&[128, 1, 4, 5, 0], 1..2), None);
        assert_eq!(deltas(&[128, 1, 0, 5, 0], 0..1), None);
        // A block without length would never end.
        assert_eq!(deltas(&[0, 4, 5, 0, 0, 0, 0, 0, 0], 1..2), None);
    }
}
