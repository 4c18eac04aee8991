//! Protocol buffers, read in place: a reader that walks the fields of one message and borrows everything from the
//! payload, and a writer for the few messages we send. Every decoder of this crate sits on it; it promises never to
//! read outside its bytes, never to panic and never to recurse.

use thiserror::Error;

/// Groups (a deprecated encoding that no OTLP message uses) may nest this deep inside an unknown field.
const GROUP_DEPTH_MAX: usize = 32;

/// Why bytes are not a protobuf message of the expected kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WireError {
    #[error("message ends in the middle of a field")]
    Truncated,
    #[error("a variable-length integer is longer than ten bytes")]
    VarintTooLong,
    #[error("field number {0} is outside 1 to 536870911")]
    FieldNumber(u64),
    #[error("wire type {0} does not exist")]
    UnknownWireType(u8),
    #[error("field {field} has another wire type than its definition")]
    WrongWireType { field: u32 },
    #[error("groups are not matched or nest too deep")]
    Group,
}

/// A field's value as it lies on the wire.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
}

/// One field of a message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Field<'a> {
    pub number: u32,
    pub wire: Wire<'a>,
}

impl<'a> Field<'a> {
    #[inline]
    fn wrong(&self) -> WireError {
        WireError::WrongWireType { field: self.number }
    }

    #[inline]
    pub fn bytes(&self) -> Result<&'a [u8], WireError> {
        if let Wire::Bytes(bytes) = self.wire { Ok(bytes) } else { Err(self.wrong()) }
    }

    #[inline]
    pub fn varint(&self) -> Result<u64, WireError> {
        if let Wire::Varint(value) = self.wire { Ok(value) } else { Err(self.wrong()) }
    }

    /// `uint32`: higher bits are cut off, as every protobuf decoder does.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "protobuf truncates")]
    pub fn uint32(&self) -> Result<u32, WireError> {
        Ok(self.varint()? as u32)
    }

    /// `int32` and enumerations.
    #[inline]
    #[expect(clippy::cast_possible_wrap, reason = "two's complement")]
    pub fn int32(&self) -> Result<i32, WireError> {
        Ok(self.uint32()? as i32)
    }

    /// `sint32`, zigzag.
    #[expect(clippy::cast_possible_wrap, reason = "two's complement")]
    pub fn sint32(&self) -> Result<i32, WireError> {
        let value = self.uint32()?;
        Ok((value >> 1) as i32 ^ -((value & 1) as i32))
    }

    #[inline]
    #[expect(clippy::cast_possible_wrap, reason = "two's complement")]
    pub fn int64(&self) -> Result<i64, WireError> {
        Ok(self.varint()? as i64)
    }

    #[inline]
    pub fn fixed64(&self) -> Result<u64, WireError> {
        if let Wire::Fixed64(value) = self.wire { Ok(value) } else { Err(self.wrong()) }
    }

    #[inline]
    pub fn fixed32(&self) -> Result<u32, WireError> {
        if let Wire::Fixed32(value) = self.wire { Ok(value) } else { Err(self.wrong()) }
    }

    #[inline]
    pub fn double(&self) -> Result<f64, WireError> {
        Ok(f64::from_bits(self.fixed64()?))
    }

    /// A repeated `fixed64` or `double`, packed or one by one, appended to `out`.
    pub fn fixed64_list(&self, out: &mut Vec<u64>) -> Result<(), WireError> {
        match self.wire {
            Wire::Fixed64(value) => out.push(value),
            Wire::Bytes(bytes) if bytes.len() % 8 == 0 => {
                out.extend(bytes.as_chunks::<8>().0.iter().map(|chunk| u64::from_le_bytes(*chunk)));
            }
            _ => return Err(self.wrong()),
        }
        Ok(())
    }

    /// A repeated `uint64`, packed or one by one, appended to `out`.
    pub fn varint_list(&self, out: &mut Vec<u64>) -> Result<(), WireError> {
        match self.wire {
            Wire::Varint(value) => out.push(value),
            Wire::Bytes(bytes) => {
                let mut reader = Reader::new(bytes);
                while !reader.bytes.is_empty() {
                    out.push(reader.read_varint()?);
                }
            }
            _ => return Err(self.wrong()),
        }
        Ok(())
    }
}

/// Walks the fields of one message.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The next field; groups are skipped. `None` at the end of the message.
    // Inlined into each decoder, the field's wire type and its match on it become one branch.
    #[inline(always)]
    pub fn next_field(&mut self) -> Result<Option<Field<'a>>, WireError> {
        loop {
            if self.bytes.is_empty() {
                return Ok(None);
            }
            let (number, wire_type) = self.read_tag()?;
            let wire = match wire_type {
                0 => Wire::Varint(self.read_varint()?),
                1 => Wire::Fixed64(u64::from_le_bytes(self.read_array()?)),
                2 => Wire::Bytes(self.read_bytes()?),
                5 => Wire::Fixed32(u32::from_le_bytes(self.read_array()?)),
                3 => {
                    self.skip_group(number)?;
                    continue;
                }
                4 => return Err(WireError::Group),
                other => return Err(WireError::UnknownWireType(other)),
            };
            return Ok(Some(Field { number, wire }));
        }
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the number was checked to fit")]
    fn read_tag(&mut self) -> Result<(u32, u8), WireError> {
        let tag = self.read_varint()?;
        let number = tag >> 3;
        if number == 0 || number >= 1 << 29 {
            return Err(WireError::FieldNumber(number));
        }
        Ok((number as u32, (tag & 7) as u8))
    }

    #[inline(always)]
    fn read_varint(&mut self) -> Result<u64, WireError> {
        match self.bytes {
            [byte, rest @ ..] if *byte < 0x80 => {
                self.bytes = rest;
                Ok(u64::from(*byte))
            }
            // Lengths of most spans, and tags of fields above 15.
            [low, high, rest @ ..] if *high < 0x80 => {
                self.bytes = rest;
                Ok(u64::from(low & 0x7f) | u64::from(*high) << 7)
            }
            _ => self.read_long_varint(),
        }
    }

    #[cold]
    fn read_long_varint(&mut self) -> Result<u64, WireError> {
        let mut value = 0_u64;
        for (idx, byte) in self.bytes.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * idx);
            if *byte < 0x80 {
                self.bytes = &self.bytes[idx + 1..];
                return Ok(value);
            }
        }
        Err(if self.bytes.len() < 10 { WireError::Truncated } else { WireError::VarintTooLong })
    }

    #[inline(always)]
    fn read_array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (head, rest) = self.bytes.split_first_chunk::<N>().ok_or(WireError::Truncated)?;
        self.bytes = rest;
        Ok(*head)
    }

    #[inline(always)]
    fn read_bytes(&mut self) -> Result<&'a [u8], WireError> {
        let len = usize::try_from(self.read_varint()?).map_err(|_| WireError::Truncated)?;
        let (head, rest) = self.bytes.split_at_checked(len).ok_or(WireError::Truncated)?;
        self.bytes = rest;
        Ok(head)
    }

    #[cold]
    fn skip_group(&mut self, number: u32) -> Result<(), WireError> {
        let mut open = [0_u32; GROUP_DEPTH_MAX];
        open[0] = number;
        let mut depth = 1;
        while depth > 0 {
            if self.bytes.is_empty() {
                return Err(WireError::Truncated);
            }
            let (number, wire_type) = self.read_tag()?;
            match wire_type {
                0 => drop(self.read_varint()?),
                1 => drop(self.read_array::<8>()?),
                2 => drop(self.read_bytes()?),
                5 => drop(self.read_array::<4>()?),
                3 => {
                    *open.get_mut(depth).ok_or(WireError::Group)? = number;
                    depth += 1;
                }
                4 => {
                    depth -= 1;
                    if open[depth] != number {
                        return Err(WireError::Group);
                    }
                }
                other => return Err(WireError::UnknownWireType(other)),
            }
        }
        Ok(())
    }
}

/// Appends fields to a message. Values are written even when they are the default.
#[derive(Debug, Default)]
pub struct Writer {
    pub bytes: Vec<u8>,
}

impl Writer {
    fn tag(&mut self, number: u32, wire_type: u8) {
        self.raw_varint(u64::from(number) << 3 | u64::from(wire_type));
    }

    #[expect(clippy::cast_possible_truncation, reason = "seven bits at a time")]
    fn raw_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    pub fn varint(&mut self, number: u32, value: u64) {
        self.tag(number, 0);
        self.raw_varint(value);
    }

    #[expect(clippy::cast_sign_loss, reason = "two's complement")]
    pub fn int64(&mut self, number: u32, value: i64) {
        self.varint(number, value as u64);
    }

    pub fn fixed64(&mut self, number: u32, value: u64) {
        self.tag(number, 1);
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub fn fixed32(&mut self, number: u32, value: u32) {
        self.tag(number, 5);
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub fn bytes(&mut self, number: u32, value: &[u8]) {
        self.tag(number, 2);
        self.raw_varint(value.len() as u64);
        self.bytes.extend_from_slice(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(bytes: &[u8]) -> Result<Vec<Field<'_>>, WireError> {
        let mut reader = Reader::new(bytes);
        let mut fields = Vec::new();
        while let Some(field) = reader.next_field()? {
            fields.push(field);
        }
        Ok(fields)
    }

    #[test]
    fn what_is_written_is_read() {
        let mut writer = Writer::default();
        writer.varint(1, u64::MAX);
        writer.int64(2, -3);
        writer.fixed64(3, 7);
        writer.fixed32(4, 8);
        writer.bytes(536_870_911, b"abc");
        let fields = walk(&writer.bytes).unwrap();
        assert_eq!(fields[0].varint(), Ok(u64::MAX));
        assert_eq!(fields[1].int64(), Ok(-3));
        assert_eq!(fields[2].fixed64(), Ok(7));
        assert_eq!(fields[3].fixed32(), Ok(8));
        assert_eq!(fields[4], Field { number: 536_870_911, wire: Wire::Bytes(b"abc") });
        assert_eq!(fields[4].varint(), Err(WireError::WrongWireType { field: 536_870_911 }));
    }

    #[test]
    fn groups_are_skipped_and_broken_bytes_are_errors() {
        // Field 9 is a group that holds a group, a varint and bytes; field 1 follows it.
        let group = [0x4b, 0x53, 0x08, 0x01, 0x54, 0x12, 0x01, 0xff, 0x4c, 0x08, 0x05];
        assert_eq!(walk(&group).unwrap(), [Field { number: 1, wire: Wire::Varint(5) }]);
        let deep = vec![0x4b; GROUP_DEPTH_MAX + 1];
        for (bytes, error) in [
            (&[0x08][..], WireError::Truncated),
            (&[0x08, 0x80], WireError::Truncated),
            (&[0x0a, 0x05, 1], WireError::Truncated),
            (&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], WireError::Truncated),
            (&[0x09, 1, 2, 3], WireError::Truncated),
            (&[0x0d, 1], WireError::Truncated),
            (&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0], WireError::VarintTooLong),
            (&[0x00, 0x01], WireError::FieldNumber(0)),
            (&[0x0e], WireError::UnknownWireType(6)),
            (&[0x0c], WireError::Group),
            (&[0x4b, 0x54], WireError::Group),
            (&[0x4b, 0x08, 0x01], WireError::Truncated),
            (&deep, WireError::Group),
        ] {
            assert_eq!(walk(bytes), Err(error), "{bytes:x?}");
        }
    }

    #[test]
    fn lists_come_packed_or_one_by_one() {
        let mut writer = Writer::default();
        writer.bytes(1, &[1, 0x80, 1]);
        writer.varint(1, 3);
        writer.bytes(1, &[0x80]);
        let fields = walk(&writer.bytes).unwrap();
        let mut list = Vec::new();
        fields[0].varint_list(&mut list).unwrap();
        fields[1].varint_list(&mut list).unwrap();
        assert_eq!(list, [1, 128, 3]);
        assert_eq!(fields[2].varint_list(&mut list), Err(WireError::Truncated));
        assert!(fields[2].fixed64_list(&mut list).is_err());
    }
}
