//! The length of a curve, from inner products of its nodes.

use super::Shape;
use super::shape::segments;
use crate::vector::{dot, norm};

/// Nodes and weights of Gauss-Legendre quadrature on (0, 1), eight points: exact for polynomials
/// up to degree 15 (Abramowitz and Stegun 1964, table 25.4, moved from (−1, 1)).
const GAUSS: [(f64, f64); 4] = [
    (0.183_434_642_495_649_8, 0.362_683_783_378_362),
    (0.525_532_409_916_329, 0.313_706_645_877_887_3),
    (0.796_666_477_413_626_7, 0.222_381_034_453_374_48),
    (0.960_289_856_497_536_3, 0.101_228_536_290_376_26),
];

/// The numbers on which the length of a curve depends.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Arc {
    /// Lengths of straight segments, each of which takes the same time.
    Segments(Vec<f64>),
    /// `θ'(t) / 2 = p + t d`: the inner products `⟨p, p⟩`, `⟨p, d⟩`, `⟨d, d⟩`.
    Bezier([f64; 3]),
}

impl Arc {
    /// Returns what the length depends on; `node` gives node k on the host.
    pub(super) fn of(shape: Shape, node: impl Fn(usize) -> Vec<f64>) -> Self {
        let difference =
            |a: &[f64], b: &[f64]| -> Vec<f64> { b.iter().zip(a).map(|(b, a)| b - a).collect() };
        if shape == Shape::Bezier {
            let middle = node(1);
            let first = difference(&node(0), &middle);
            let second = difference(&middle, &node(2));
            let turn = difference(&first, &second);
            return Self::Bezier([dot(&first, &first), dot(&first, &turn), dot(&turn, &turn)]);
        }
        let mut from = node(0);
        let mut lengths = Vec::with_capacity(shape.bends() + 1);
        for k in 1..shape.bends() + 2 {
            let to = node(k);
            lengths.push(norm(&difference(&from, &to)));
            from = to;
        }
        Self::Segments(lengths)
    }

    /// Returns the inner points that divide segments into `parts` of equal length: the segment of
    /// each and its share of that before it. Nothing for a curve that is no chain.
    #[expect(clippy::cast_precision_loss, reason = "a chain has few segments")]
    pub(super) fn equal_parts(&self, parts: usize) -> Vec<(usize, f64)> {
        let Self::Segments(lengths) = self else {
            return Vec::new();
        };
        let whole: f64 = lengths.iter().sum();
        let mut points = Vec::with_capacity(parts.saturating_sub(1));
        let (mut segment, mut before) = (0, 0.0);
        for part in 1..parts {
            let place = whole * (part as f64 / parts as f64);
            while segment + 1 < lengths.len() && before + lengths[segment] < place {
                before += lengths[segment];
                segment += 1;
            }
            let share = (place - before) / lengths[segment];
            // A segment without length is passed over, unless all are.
            points.push((
                segment,
                if share.is_finite() {
                    share.clamp(0.0, 1.0)
                } else {
                    0.0
                },
            ));
        }
        points
    }

    /// Returns the length from 0 to t, exact up to rounding.
    #[expect(clippy::cast_precision_loss, reason = "a chain has few segments")]
    pub(super) fn up_to(&self, t: f64) -> f64 {
        match self {
            Self::Segments(lengths) => {
                let place = t * segments(lengths.len() - 1);
                let of = |(k, length): (usize, &f64)| length * (place - k as f64).clamp(0.0, 1.0);
                lengths.iter().enumerate().map(of).sum()
            }
            Self::Bezier([pp, pd, dd]) => 2.0 * integral(*pp, *pd, *dd, t),
        }
    }
}

/// Returns `∫₀ᵗ ‖p + s d‖ ds`.
fn integral(pp: f64, pd: f64, dd: f64, t: f64) -> f64 {
    let speed = |s: f64| (pp + s * (2.0 * pd + s * dd)).max(0.0).sqrt();
    // The closed form loses digits where d is small beside p; the integrand is then a power series
    // in s that converges ten times as far as the interval reaches, which eight points integrate
    // to the last digit.
    if dd * 100.0 <= pp {
        let half = t / 2.0;
        let pair = |&(x, w): &(f64, f64)| w * (speed(half * (1.0 - x)) + speed(half * (1.0 + x)));
        return half * GAUSS.iter().map(pair).sum::<f64>();
    }
    // With u = s + ⟨p, d⟩ / ⟨d, d⟩ the speed is √⟨d, d⟩ √(u² + h²).
    let start = pd / dd;
    let height = ((pp - pd * start) / dd).max(0.0).sqrt();
    let primitive = |u: f64| {
        let curved = if height > 0.0 {
            height * height * (u / height).asinh()
        } else {
            0.0
        };
        0.5 * (u * u.hypot(height) + curved)
    };
    dd.sqrt() * (primitive(start + t) - primitive(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bezier(nodes: [[f64; 2]; 3]) -> Arc {
        Arc::of(Shape::Bezier, |k| nodes[k].to_vec())
    }

    #[test]
    fn a_bezier_curve_has_the_length_of_the_parabola_that_it_is() {
        // (0,0), (1,0), (2,2) is (2t, 2t²), the parabola y = x²/2 up to x = 2: its length is
        // √5 + asinh(2)/2.
        let arc = bezier([[0.0, 0.0], [1.0, 0.0], [2.0, 2.0]]);
        let expected = |x: f64| 0.5 * (x * x.hypot(1.0) + x.asinh());
        for t in [0.0, 0.1, 0.5, 1.0] {
            let error = (arc.up_to(t) - expected(2.0 * t)).abs();
            assert!(error < 1e-15, "{t}: {error}");
        }
    }

    #[test]
    fn a_straight_bezier_curve_is_as_long_as_the_way_even_where_it_turns_back() {
        for (bend, expected) in [(1.0, 2.0), (0.5, 2.0), (1.0 + 1e-9, 2.0), (1.09, 2.0)] {
            let found = bezier([[0.0, 0.0], [bend, 0.0], [2.0, 0.0]]).up_to(1.0);
            assert!((found - expected).abs() < 4e-15, "{bend}: {found}");
        }
        // 6t − 4t² turns back at t = 3/4, at 9/4.
        let back = bezier([[0.0, 0.0], [3.0, 0.0], [2.0, 0.0]]);
        assert!((back.up_to(1.0) - 2.5).abs() < 1e-14);
        assert!((back.up_to(0.75) - 2.25).abs() < 1e-14);
    }

    #[test]
    fn both_ways_to_a_length_agree_where_they_meet() {
        // A turn d just below and just above a tenth of p.
        let length = |d: f64| integral(1.0, 0.3 * d, d * d, 0.8);
        let step = length(0.1 + 1e-9) - length(0.1 - 1e-9);
        // The derivative of the length by d is about 0.1.
        assert!((0.0..1e-9).contains(&step), "{step}");
    }

    #[test]
    fn equal_parts_lie_at_equal_lengths() {
        let nodes = [[0.0, 0.0], [0.0, 0.0], [3.0, 4.0], [3.0, 5.0]];
        let arc = Arc::of(Shape::Chain { bends: 2 }, |k| nodes[k].to_vec());
        assert_eq!(arc.equal_parts(3), [(1, 0.4), (1, 0.8)]);
        assert_eq!(Arc::Segments(vec![0.0; 2]).equal_parts(2), [(0, 0.0)]);
    }

    #[test]
    fn a_chain_is_as_long_as_its_segments() {
        let nodes = [[0.0, 0.0], [3.0, 4.0], [3.0, 5.0]];
        let arc = Arc::of(Shape::Chain { bends: 1 }, |k| nodes[k].to_vec());
        assert_eq!(
            [0.0, 0.25, 0.5, 0.75, 1.0].map(|t| arc.up_to(t)),
            [0.0, 2.5, 5.0, 5.5, 6.0]
        );
    }
}
