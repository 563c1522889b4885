//! `exp`, `tanh`, `erf` and the logistic function of f32 without branches, so that a loop over them
//! takes as many entries at a time as a vector of the processor holds.
//!
//! The polynomials were fitted in f64 for the least largest relative error (Lawson's weights), that
//! of `exp` apart. Each function is good to three units in the last place. What is no number stays
//! so.

/// Returns `sum` of the coefficients, from the highest power down, times the powers of x.
#[inline(always)]
fn polynomial<const N: usize>(coefficients: [f32; N], x: f32) -> f32 {
    coefficients.iter().fold(0.0, |sum, c| sum * x + c)
}

/// Returns one of two numbers. Both are computed: where one may be left out, the compiler makes a
/// branch, and takes one entry at a time.
#[inline(always)]
const fn select(first: bool, a: f32, b: f32) -> f32 {
    let mask = (first as u32).wrapping_neg();
    f32::from_bits((a.to_bits() & mask) | (b.to_bits() & !mask))
}

/// Returns `exp(x)`: `2ⁿ exp(r)` with `|r| ≤ ln 2 / 2` and a polynomial for the second factor (the
/// coefficients of Moshier's Cephes library, 1984).
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    /// A number to which adding rounds to whole numbers.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 in two parts, of which the first has few bits.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    const COEFFICIENTS: [f32; 6] = [
        1.987_569_1e-4,
        1.398_199_9e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        1.666_666_5e-1,
        5e-1,
    ];
    // Below, the result is zero, and above infinite.
    let x = if x < -104.0 { -104.0 } else { x };
    let x = if x > 89.0 { 89.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2[0]) - n * LN_2[1];
    let factor = polynomial(COEFFICIENTS, r) * r * r + r + 1.0;
    // Twice half the power of two, so that neither the smallest results are lost nor the largest.
    let n = shifted
        .to_bits()
        .wrapping_sub(ROUND.to_bits())
        .cast_signed();
    let half = n >> 1;
    let power = |n: i32| f32::from_bits((n + 127).cast_unsigned() << 23);
    factor * power(half) * power(n - half)
}

/// Returns `tanh(x)`: an odd polynomial up to 0.625, `1 − 2 / (exp(2 |x|) + 1)` with the sign of x
/// from there on.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    const NEAR: [f32; 5] = [
        -0.005_717_045_6,
        0.020_650_588,
        -0.053_743_497,
        0.133_314_91,
        -0.333_332_84,
    ];
    let size = x.abs();
    let square = size * size;
    let near = size + size * (square * polynomial(NEAR, square));
    let power = exp(-2.0 * size);
    let far = 1.0 - 2.0 * power / (1.0 + power);
    select(size <= 0.625, near, far).copysign(x)
}

/// Returns `erf(x)`: an odd polynomial up to 0.9, `1 − exp(p(|x|))` with the sign of x and a
/// polynomial p near `ln erfc` from there on.
#[inline(always)]
pub(crate) fn erf(x: f32) -> f32 {
    const NEAR: [f32; 6] = [
        -6.090_386e-4,
        0.005_011_969,
        -0.026_778_914,
        0.112_821_41,
        -0.376_125_25,
        0.128_379_15,
    ];
    const FAR: [f32; 8] = [
        -2.082_853_1e-5,
        4.313_926e-4,
        -0.004_156_250_5,
        0.025_080_606,
        -0.108_220_37,
        -0.633_400_86,
        -1.129_488_3,
        1.692_039_7e-4,
    ];
    // Above, the result is 1.
    let size = x.abs();
    let size = if size > 4.0 { 4.0 } else { size };
    let near = size + size * polynomial(NEAR, size * size);
    let far = 1.0 - exp(polynomial(FAR, size));
    select(size <= 0.9, near, far).copysign(x)
}

/// Returns `1 / (1 + exp(−x))`, of which the smallest values are not lost.
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    let power = exp(-x.abs());
    select(x >= 0.0, 1.0, power) / (1.0 + power)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the largest error over `count` numbers from `first` to `last`, in units in the last
    /// place of the exact result.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounded to the type of the functions"
    )]
    fn worst(
        function: impl Fn(f32) -> f32,
        exact: impl Fn(f64) -> f64,
        [first, last]: [f64; 2],
    ) -> f64 {
        let count = 400_000;
        let numbers = (0..=count).map(|i| first + (last - first) * f64::from(i) / f64::from(count));
        numbers.map(|x| x as f32).fold(0.0, |worst: f64, x| {
            let (found, exact) = (f64::from(function(x)), exact(f64::from(x)));
            let rounded = (exact as f32).abs();
            let unit = f64::from(rounded.next_up()) - f64::from(rounded);
            worst.max((found - exact).abs() / unit)
        })
    }

    /// Returns erf by its series of positive terms (Abramowitz and Stegun 1964, 7.1.6).
    fn erf_of_f64(x: f64) -> f64 {
        let mut term = x * std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp();
        let mut sum = 0.0;
        let mut n = 0.0;
        while term.abs() > 1e-20 * sum {
            sum += term;
            n += 1.0;
            term *= 2.0 * x * x / (2.0 * n + 1.0);
        }
        sum
    }

    #[test]
    fn values_are_good_to_three_units_in_the_last_place() {
        let logistic = |x: f64| 1.0 / (1.0 + (-x).exp());
        for (name, worst) in [
            ("exp", worst(exp, f64::exp, [-103.9, 88.72])),
            ("exp", worst(exp, f64::exp, [-1.0, 1.0])),
            ("tanh", worst(tanh, f64::tanh, [1e-3, 12.0])),
            ("tanh", worst(tanh, f64::tanh, [-1.0, -1e-30])),
            ("erf", worst(erf, erf_of_f64, [1e-3, 6.0])),
            ("erf", worst(|x| -erf(-x), erf_of_f64, [1e-30, 1.0])),
            ("sigmoid", worst(sigmoid, logistic, [-100.0, 20.0])),
            ("sigmoid", worst(sigmoid, logistic, [-1.0, 1.0])),
        ] {
            assert!(worst < 3.0, "{name}: {worst}");
        }
    }

    #[test]
    fn ends_are_exact() {
        let infinity = f32::INFINITY;
        assert_eq!(
            [exp(-infinity), exp(0.0), exp(infinity)],
            [0.0, 1.0, infinity]
        );
        assert_eq!(exp(88.73), infinity);
        assert_eq!(
            [sigmoid(-infinity), sigmoid(0.0), sigmoid(infinity)],
            [0.0, 0.5, 1.0]
        );
        for function in [tanh, erf] {
            assert_eq!([function(-infinity), function(infinity)], [-1.0, 1.0]);
            assert_eq!(function(-0.0).to_bits(), (-0.0_f32).to_bits());
            assert_eq!(function(0.0).to_bits(), 0);
            assert_eq!(function(30.0), 1.0);
        }
        for function in [exp, tanh, erf, sigmoid] {
            assert!(function(f32::NAN).is_nan());
        }
    }
}
