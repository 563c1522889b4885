//! `exp`, `tanh`, `erf` and the logistic function of f32, as many entries at a time as a vector of
//! the processor holds.
//!
//! The polynomials were fitted in f64 for the least largest relative error (Lawson's weights), that
//! of `exp` apart. Each function is good to two units in the last place, the logistic one to three.
//! What is no number stays so.

use pulp::{Arch, Simd, WithSimd};

/// A number to which adding rounds to whole numbers.
const ROUND: f32 = 12_582_912.0;

/// A function of this module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Elementary {
    Exp,
    Tanh,
    /// `1 / (1 + exp(−x))`
    Sigmoid,
    Erf,
}

impl Elementary {
    /// Writes the value for each entry of x to `out`.
    pub(crate) fn apply(self, x: &[f32], out: &mut [f32]) {
        Arch::new().dispatch(Applied {
            function: self,
            x,
            out,
        });
    }
}

struct Applied<'a> {
    function: Elementary,
    x: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for Applied<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { function, x, out } = self;
        match function {
            Elementary::Exp => each(
                simd,
                x,
                out,
                #[inline(always)]
                |x| exp(simd, x),
            ),
            Elementary::Tanh => each(
                simd,
                x,
                out,
                #[inline(always)]
                |x| tanh(simd, x),
            ),
            Elementary::Sigmoid => each(
                simd,
                x,
                out,
                #[inline(always)]
                |x| sigmoid(simd, x),
            ),
            Elementary::Erf => each(
                simd,
                x,
                out,
                #[inline(always)]
                |x| erf(simd, x),
            ),
        }
    }
}

/// A function by name instead of a closure would be called, without what the processor has.
#[inline(always)]
fn each<S: Simd>(simd: S, x: &[f32], out: &mut [f32], function: impl Fn(S::f32s) -> S::f32s) {
    let (vectors, rest) = S::as_simd_f32s(x);
    let (out_vectors, out_rest) = S::as_mut_simd_f32s(out);
    for (out, &x) in out_vectors.iter_mut().zip(vectors) {
        *out = function(x);
    }
    let last = function(simd.partial_load_f32s(rest));
    simd.partial_store_f32s(out_rest, last);
}

/// Returns the sum of the coefficients, from the highest power down, times the powers of x.
#[inline(always)]
fn polynomial<S: Simd, const N: usize>(simd: S, coefficients: [f32; N], x: S::f32s) -> S::f32s {
    let mut sum = simd.splat_f32s(coefficients[0]);
    for &c in &coefficients[1..] {
        sum = simd.mul_add_e_f32s(sum, x, simd.splat_f32s(c));
    }
    sum
}

/// Returns `min(x, most)`; what is no number stays so.
#[inline(always)]
fn at_most<S: Simd>(simd: S, x: S::f32s, most: f32) -> S::f32s {
    let most = simd.splat_f32s(most);
    simd.select_f32s(simd.less_than_f32s(most, x), most, x)
}

/// Returns the size of `value`, which is not negative, with the sign of x.
#[inline(always)]
fn with_sign_of<S: Simd>(simd: S, value: S::f32s, x: S::f32s) -> S::f32s {
    let sign = simd.and_u32s(simd.transmute_u32s_f32s(x), simd.splat_u32s(1 << 31));
    simd.transmute_f32s_u32s(simd.or_u32s(simd.transmute_u32s_f32s(value), sign))
}

/// Returns 2ⁿ, given `n + ROUND` with n from −126 to 127.
#[inline(always)]
fn power_of_two<S: Simd>(simd: S, shifted: S::f32s) -> S::f32s {
    // The last bits of that number are n, those of `ROUND` itself are zero.
    let bits = simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(shifted), simd.splat_u32s(23));
    simd.transmute_f32s_u32s(simd.add_u32s(bits, simd.splat_u32s(127 << 23)))
}

/// Returns `exp(x)`: `2ⁿ exp(r)` with `|r| ≤ ln 2 / 2` and a polynomial for the second factor (the
/// coefficients of Moshier's Cephes library, 1984).
#[inline(always)]
fn exp<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    /// −ln 2 in two parts, of which the first has few bits.
    const MINUS_LN_2: [f32; 2] = [-0.693_359_4, 2.121_944_4e-4];
    const COEFFICIENTS: [f32; 8] = [
        1.987_569_1e-4,
        1.398_199_9e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        1.666_666_5e-1,
        5e-1,
        1.0,
        1.0,
    ];
    let round = simd.splat_f32s(ROUND);
    // Below, the result is zero, and above infinite.
    let least = simd.splat_f32s(-104.0);
    let x = simd.select_f32s(simd.less_than_f32s(x, least), least, x);
    let x = at_most(simd, x, 89.0);
    let of_e = simd.splat_f32s(std::f32::consts::LOG2_E);
    let n = simd.sub_f32s(simd.mul_add_e_f32s(x, of_e, round), round);
    let [first, second] = MINUS_LN_2.map(|part| simd.splat_f32s(part));
    let r = simd.mul_add_e_f32s(n, second, simd.mul_add_e_f32s(n, first, x));
    let factor = polynomial(simd, COEFFICIENTS, r);
    // Twice half the power of two, so that neither the smallest results are lost nor the largest.
    let half = simd.mul_add_e_f32s(n, simd.splat_f32s(0.5), round);
    let rest = simd.add_f32s(simd.sub_f32s(n, simd.sub_f32s(half, round)), round);
    let factor = simd.mul_f32s(factor, power_of_two(simd, half));
    simd.mul_f32s(factor, power_of_two(simd, rest))
}

/// Returns `tanh(x)`: an odd polynomial up to 0.625, `1 − 2 / (exp(2 |x|) + 1)` with the sign of x
/// from there on.
#[inline(always)]
fn tanh<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    const NEAR: [f32; 5] = [
        -0.005_717_045_6,
        0.020_650_588,
        -0.053_743_497,
        0.133_314_91,
        -0.333_332_84,
    ];
    let one = simd.splat_f32s(1.0);
    let minus_two = simd.splat_f32s(-2.0);
    let size = simd.abs_f32s(x);
    let square = simd.mul_f32s(size, size);
    let small = simd.mul_f32s(square, polynomial(simd, NEAR, square));
    let near = simd.mul_add_e_f32s(size, small, size);
    let power = exp(simd, simd.mul_f32s(minus_two, size));
    let part = simd.div_f32s(power, simd.add_f32s(one, power));
    let far = simd.mul_add_e_f32s(minus_two, part, one);
    let is_near = simd.less_than_f32s(size, simd.splat_f32s(0.625));
    with_sign_of(simd, simd.select_f32s(is_near, near, far), x)
}

/// Returns `erf(x)`: an odd polynomial up to 0.9, `1 − exp(p(|x|))` with the sign of x and a
/// polynomial p near `ln erfc` from there on.
#[inline(always)]
fn erf<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
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
    let size = at_most(simd, simd.abs_f32s(x), 4.0);
    let square = simd.mul_f32s(size, size);
    let near = simd.mul_add_e_f32s(size, polynomial(simd, NEAR, square), size);
    let power = exp(simd, polynomial(simd, FAR, size));
    let far = simd.sub_f32s(simd.splat_f32s(1.0), power);
    let is_near = simd.less_than_f32s(size, simd.splat_f32s(0.9));
    with_sign_of(simd, simd.select_f32s(is_near, near, far), x)
}

/// Returns `1 / (1 + exp(−x))`, of which the smallest values are not lost.
#[inline(always)]
fn sigmoid<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let one = simd.splat_f32s(1.0);
    let power = exp(simd, simd.neg_f32s(simd.abs_f32s(x)));
    let is_negative = simd.less_than_f32s(x, simd.splat_f32s(0.0));
    let above = simd.select_f32s(is_negative, power, one);
    simd.div_f32s(above, simd.add_f32s(one, power))
}

#[cfg(test)]
mod tests {
    use super::Elementary::{Erf, Exp, Sigmoid, Tanh};
    use super::*;

    /// Returns the largest error over `count` numbers from `first` to `last`, in units in the last
    /// place of the exact result.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounded to the type of the functions"
    )]
    fn worst(function: Elementary, exact: impl Fn(f64) -> f64, [first, last]: [f64; 2]) -> f64 {
        let count = 1_040_000;
        let step = (last - first) / f64::from(count);
        let x: Vec<f32> = (0..=count)
            .map(|i| (first + step * f64::from(i)) as f32)
            .collect();
        let found = values(function, &x);
        let pairs = x.into_iter().zip(found);
        pairs.fold(0.0, |worst: f64, (x, found)| {
            let exact = exact(f64::from(x));
            let rounded = (exact as f32).abs();
            let unit = f64::from(rounded.next_up()) - f64::from(rounded);
            worst.max((f64::from(found) - exact).abs() / unit)
        })
    }

    fn values(function: Elementary, x: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; x.len()];
        function.apply(x, &mut out);
        out
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
    fn values_are_good_to_two_units_in_the_last_place() {
        let logistic = |x: f64| 1.0 / (1.0 + (-x).exp());
        let odd = |x: f64| x.signum() * erf_of_f64(x.abs());
        for (name, worst, most) in [
            ("exp", worst(Exp, f64::exp, [-103.9, 88.72]), 2.0),
            ("exp", worst(Exp, f64::exp, [-1.0, 1.0]), 2.0),
            ("tanh", worst(Tanh, f64::tanh, [1e-3, 12.0]), 2.0),
            ("tanh", worst(Tanh, f64::tanh, [-1.0, -1e-30]), 2.0),
            ("erf", worst(Erf, odd, [1e-3, 6.0]), 2.0),
            ("erf", worst(Erf, odd, [-1.0, -1e-30]), 2.0),
            ("sigmoid", worst(Sigmoid, logistic, [-100.0, 20.0]), 3.0),
            ("sigmoid", worst(Sigmoid, logistic, [-1.0, 1.0]), 3.0),
        ] {
            assert!(worst < most, "{name}: {worst}");
        }
    }

    #[test]
    fn ends_are_exact() {
        let infinity = f32::INFINITY;
        let x = [-infinity, 0.0, infinity, 88.73];
        assert_eq!(values(Exp, &x), [0.0, 1.0, infinity, infinity]);
        assert_eq!(values(Sigmoid, &x), [0.0, 0.5, 1.0, 1.0]);
        for function in [Tanh, Erf] {
            assert_eq!(values(function, &x), [-1.0, 0.0, 1.0, 1.0]);
            let signs = values(function, &[-0.0, 0.0]);
            let signs = signs.iter().map(|x| x.is_sign_negative());
            assert_eq!(signs.collect::<Vec<_>>(), [true, false]);
        }
        for function in [Exp, Tanh, Sigmoid, Erf] {
            let found = values(function, &[0.5, f32::NAN, 1.0]);
            let are_nan = found.iter().map(|x| x.is_nan());
            assert_eq!(are_nan.collect::<Vec<_>>(), [false, true, false]);
        }
    }

    #[test]
    fn rests_of_a_vector_are_computed_too() {
        let x: Vec<f32> = (0..67_u8).map(|i| f32::from(i) * 0.1 - 3.0).collect();
        for function in [Exp, Tanh, Sigmoid, Erf] {
            let all = values(function, &x);
            for len in 0..x.len() {
                assert_eq!(values(function, &x[..len]), all[..len]);
            }
        }
    }
}
