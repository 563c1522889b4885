//! The slope of a nonlinearity beside its largest one.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use derivatives::NonlinearityKind as Kind;

/// `max (Φ(x) + x φ(x))`, at √2: its derivative `(2 − x²) φ(x)` is zero there.
const GELU: f64 = 1.128_904_145_023_3;

/// `max σ(x) (1 + x (1 − σ(x)))`, at 2.399 357 280 520 5, where `2 = x tanh(x / 2)`.
const SILU: f64 = 1.099_839_320_288_1;

/// Returns `|f′(x)| / max |f′|`, given y = f(x), and x for GELU and SiLU; none for kinds that do
/// not saturate.
pub(super) fn relative_slope(kind: Kind, x: f64, y: f64) -> Option<f64> {
    Some(match kind {
        Kind::Tanh => (1.0 - y) * (1.0 + y),
        Kind::Sigmoid => 4.0 * y * (1.0 - y),
        Kind::HardSigmoid => f64::from(y > 0.0 && y < 1.0),
        Kind::Gelu => {
            let density = (-0.5 * x * x).exp() / (2.0 * PI).sqrt();
            (normal(x) + x * density).abs() / GELU
        }
        Kind::Silu => {
            let sigmoid = 1.0 / (1.0 + (-x).exp());
            (sigmoid * (1.0 + x * (1.0 - sigmoid))).abs() / SILU
        }
        _ => return None,
    })
}

/// Returns whether units of this kind can be dead.
pub(super) const fn can_die(kind: Kind) -> bool {
    matches!(kind, Kind::Relu | Kind::ClippedRelu)
}

/// Returns whether units of this kind can be saturated.
pub(super) fn can_saturate(kind: Kind) -> bool {
    relative_slope(kind, 0.0, 0.0).is_some()
}

/// Returns the normal distribution function, off by at most 7.5·10⁻⁸, which is far below any
/// threshold of a slope (Abramowitz, Stegun 1964, formula 7.1.26).
fn normal(x: f64) -> f64 {
    const TERMS: [f64; 5] = [
        0.254_829_592,
        -0.284_496_736,
        1.421_413_741,
        -1.453_152_027,
        1.061_405_429,
    ];
    let z = x.abs() * FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let series = TERMS.iter().rev().fold(0.0, |sum, term| t * (term + sum));
    let above = 0.5 * series * (-z * z).exp();
    if x > 0.0 { 1.0 - above } else { above }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slopes are known in closed form, and the table of the module says where they are a
    /// hundredth of the largest.
    #[test]
    fn slopes_are_a_hundredth_where_the_table_says() {
        let at = |kind, x: f64| {
            let y = match kind {
                Kind::Tanh => x.tanh(),
                _ => 1.0 / (1.0 + (-x).exp()),
            };
            relative_slope(kind, x, y).unwrap()
        };
        // tanh: y = √0.99, sigmoid: y = (1 + √0.99) / 2, whose inverses are these.
        let root = 0.99_f64.sqrt();
        for (kind, x) in [
            (Kind::Tanh, root.atanh()),
            (Kind::Sigmoid, ((1.0 + root) / (1.0 - root)).ln()),
        ] {
            assert!((at(kind, x) - 0.01).abs() < 1e-12);
            assert!((at(kind, -x) - 0.01).abs() < 1e-12);
            assert!((at(kind, 0.0) - 1.0).abs() < 1e-15);
        }
        assert!((root.atanh() - 2.993).abs() < 1e-3);
        assert!((2.0 * root.atanh() - 5.987).abs() < 1e-3);
        for (kind, top, low, edge) in [
            (Kind::Gelu, 2.0_f64.sqrt(), -3.1, -2.95),
            (Kind::Silu, 2.399_357_280_520_5, -6.2, -6.0),
        ] {
            assert!(
                (at(kind, top) - 1.0).abs() < 1e-6,
                "{kind:?} {}",
                at(kind, top)
            );
            assert!(at(kind, top - 0.1) < 1.0 && at(kind, top + 0.1) < 1.0);
            assert!(at(kind, low) < 0.01, "{kind:?} {}", at(kind, low));
            assert!(at(kind, edge) > 0.01, "{kind:?} {}", at(kind, edge));
        }
        assert_eq!(relative_slope(Kind::HardSigmoid, 0.0, 1.0), Some(0.0));
        assert_eq!(relative_slope(Kind::HardSigmoid, 0.0, 0.5), Some(1.0));
        assert_eq!(relative_slope(Kind::LeakyRelu, 0.0, 0.0), None);
    }

    /// Values of Φ to ten digits from Abramowitz and Stegun, table 26.1.
    #[test]
    fn the_normal_distribution_is_that_of_the_tables() {
        for (x, expected) in [
            (0.0, 0.5),
            (1.0, 0.841_344_746_1),
            (2.0, 0.977_249_868_1),
            (-1.0, 0.158_655_253_9),
            (-3.0, 0.001_349_898_0),
        ] {
            assert!((normal(x) - expected).abs() < 1e-7, "{x}");
        }
    }
}
