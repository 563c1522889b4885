//! Bins for numbers of any size and sign, whose edges do not depend on the numbers.
//!
//! Four bins to a factor of two, of equal width between two powers of two, on either side of one
//! bin around zero. The bin of a number is read off its exponent and the first two binary digits of
//! its mantissa, so that counting costs a few integer operations and the edges are exact.

/// Binary digits of the mantissa that choose the bin: two, for four bins to a factor of two.
const DIGITS: u32 = 2;

/// The bins between two powers of two.
pub(super) const OCTAVE: usize = 1 << DIGITS;

/// The smallest magnitude beside zero is 2 to this power; what is smaller counts as zero.
const LEAST: i32 = -80;

/// Magnitudes of 2 to this power and above share the last bin.
const MOST: i32 = 48;

/// The bins of one sign.
pub(super) const SIDE: usize = (MOST - LEAST) as usize * OCTAVE;

/// All bins: negative numbers from the largest magnitude down, zero, positive ones.
pub(super) const BINS: usize = 2 * SIDE + 1;

/// The bits of f64 that stand for the smallest magnitude, without those that do not choose.
const FIRST: u64 = ((LEAST + 1023) as u64) << DIGITS;

/// Returns the bin of a finite number.
#[expect(
    clippy::cast_possible_truncation,
    reason = "exponent and two digits are 13 bits"
)]
pub(super) fn bin(number: f64) -> usize {
    let magnitude = (number.to_bits() & (u64::MAX >> 1)) >> (52 - DIGITS);
    if magnitude < FIRST {
        return SIDE;
    }
    let from_zero = ((magnitude - FIRST) as usize).min(SIDE - 1);
    if number < 0.0 {
        SIDE - 1 - from_zero
    } else {
        SIDE + 1 + from_zero
    }
}

/// Returns the left edge of a bin, and the right one of the bin before it.
pub(super) fn edge(bin: usize) -> f64 {
    if bin <= SIDE {
        -magnitude(SIDE - bin)
    } else {
        magnitude(bin - SIDE - 1)
    }
}

/// Returns the smallest magnitude of the bin of this number on one side of zero.
pub(super) fn magnitude(from_zero: usize) -> f64 {
    f64::from_bits((FIRST + from_zero as u64) << (52 - DIGITS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_lies_between_the_edges_of_its_bin() {
        let mut number = 1e-30;
        // Beyond 2^48 lies the last bin.
        while number < 2.8e14 {
            for signed in [number, -number] {
                let bin = bin(signed);
                let (left, right) = (edge(bin), edge(bin + 1));
                assert!(left <= signed && signed <= right, "{signed} {left} {right}");
                // Between 2^-80 and 2^48 a bin is a fifth to a quarter of the number at most.
                if (1e-24..1e14).contains(&number) {
                    assert!(right - left <= 0.25 * number, "{signed}");
                }
            }
            number *= 1.37;
        }
        assert_eq!((bin(0.0), bin(-0.0), bin(5e-324)), (SIDE, SIDE, SIDE));
        assert_eq!((edge(SIDE), edge(SIDE + 1)), (-magnitude(0), magnitude(0)));
        assert_eq!(magnitude(0), 2.0_f64.powi(LEAST));
        assert_eq!((bin(f64::MAX), bin(f64::MIN)), (BINS - 1, 0));
        // One and what is just below it are in different bins.
        assert_eq!(edge(bin(1.0)), 1.0);
        assert_eq!(bin(1.0 - f64::EPSILON), bin(1.0) - 1);
    }
}
