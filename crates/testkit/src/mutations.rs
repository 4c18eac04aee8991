//! Damaged inputs for decoders: every test of "whatever arrives" takes its seeds and its mutations from here. The
//! same seeds start the fuzz targets; a mutation depends on nothing but its number, so a failure can be repeated.

use std::path::PathBuf;

/// The seeds of a fuzz target: the files of `fuzz/seeds/<target>`, by name.
///
/// # Panics
/// When there are none, since a test without seeds would test nothing.
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds")).join(target);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a listed file").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} has no seeds", folder.display());
    paths.iter().map(|path| std::fs::read(path).expect("a seed can be read")).collect()
}

/// Gives each seed as it is and then `count` mutations of them to `decode`. A panic in it is reported with the input.
/// `TRACERY_TEST_MUTATIONS` says another count, for a long run.
pub fn each_mutation(seeds: &[Vec<u8>], count: u64, decode: impl Fn(&[u8])) {
    for seed in seeds {
        run(seed, &decode);
    }
    let wanted = std::env::var("TRACERY_TEST_MUTATIONS").ok().and_then(|count| count.parse().ok());
    for number in 0..wanted.unwrap_or(count) {
        let mut random = Random(number);
        let mut bytes = random.one_of(seeds).clone();
        for _ in 0..=random.below(4) {
            mutate(&mut bytes, seeds, &mut random);
        }
        run(&bytes, &decode);
    }
}

fn run(bytes: &[u8], decode: &impl Fn(&[u8])) {
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| decode(bytes)));
    if let Err(panic) = caught {
        eprintln!("this input panicked: {}", bytes.escape_ascii());
        std::panic::resume_unwind(panic);
    }
}

/// One edit of the kinds that break decoders: bits, lengths, cuts, repeats, and pieces of other inputs.
fn mutate(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    const REMARKABLE: &[u8] =
        &[0, 1, 0x7f, 0x80, 0xff, b'"', b'[', b'{', b'}', b'\\', b'-', b'9', b'.', b'e'];
    const LENGTH_MAX: usize = 64 << 10;
    let at = random.below(bytes.len() + 1);
    match random.below(9) {
        0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        1 if at < bytes.len() => bytes[at] = *random.one_of(REMARKABLE),
        2 => bytes.insert(at, *random.one_of(REMARKABLE)),
        3 => bytes.truncate(at),
        4 => drop(bytes.drain(at..(at + random.below(16)).min(bytes.len()))),
        // A piece again: repeated fields, keys that are there twice.
        5 if bytes.len() < LENGTH_MAX => {
            let piece = bytes[at..(at + random.below(64)).min(bytes.len())].to_vec();
            bytes.splice(at..at, piece);
        }
        // A piece of another input.
        6 if bytes.len() < LENGTH_MAX => {
            let other = random.one_of(seeds);
            let from = random.below(other.len() + 1);
            let piece = other[from..(from + random.below(64)).min(other.len())].to_vec();
            bytes.splice(at..at, piece);
        }
        // Lengths and counts of four bytes.
        7 if at + 4 <= bytes.len() => {
            let value = *random.one_of(&[0_u32, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX]);
            bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        // Ten bytes that read as the largest variable-length integer.
        _ if at < bytes.len() => {
            let end = (at + 10).min(bytes.len());
            bytes[at..end].fill(0xff);
        }
        _ => bytes.push(*random.one_of(REMARKABLE)),
    }
}

/// SplitMix64: a few lines, the same numbers for ever.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    #[expect(clippy::cast_possible_truncation, reason = "the remainder is below a usize")]
    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn one_of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}
