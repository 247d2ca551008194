//! Generates ids in the form of this crate's ids, the same in each run, without storing them.

use uuid::{Builder, Uuid};

/// The `jti` for a number: a time, with a hundred ids per millisecond, and random bits.
pub fn id(number: u64) -> Uuid {
    let (high, low) = (mix(number), mix(!number));
    let mut random = [0; 10];
    random[..8].copy_from_slice(&high.to_le_bytes());
    random[8..].copy_from_slice(&low.to_le_bytes()[..2]);
    Builder::from_unix_timestamp_millis(1_750_000_000_000 + number / 100, &random).into_uuid()
}

/// SplitMix64.
pub fn mix(number: u64) -> u64 {
    let step = |bits: u64, shift: u32, factor: u64| (bits ^ (bits >> shift)).wrapping_mul(factor);
    let bits = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let bits = step(step(bits, 30, 0xbf58_476d_1ce4_e5b9), 27, 0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
