//! Random numbers drawn on the host from explicit seeds.
//!
//! The generator is Xoshiro256++ (Blackman and Vigna 2021). A seed and a stream number make its
//! state: with `mix` the finaliser of SplitMix64, the 64-bit key `mix(seed ^ mix(stream + 1))` is
//! expanded by SplitMix64 into the 256 bits of state. For a fixed seed different streams have
//! different keys, and for a fixed stream different seeds do. Every purpose has its own streams
//! ([`Purpose`]), so the numbers of one do not depend on how many another has drawn.
//!
//! Numbers are the same on every machine: integer arithmetic, then the ziggurat of `rand_distr`
//! for normals, whose rare tail case alone calls the platform's `exp` and `ln`.

use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::normalize;

/// The purpose of random numbers; each has 2⁴⁰ streams of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Directions of slices: stream `i` gives direction `i`.
    Direction = 1,
    /// Start vectors of Lanczos runs: stream `i` starts run `i`.
    Lanczos = 2,
    /// New vectors after a Lanczos run has met an invariant subspace.
    Restart = 3,
    /// The start vector of power iteration.
    Power = 4,
    /// Probes of a trace: stream `i` gives probe `i`.
    Trace = 5,
    /// The direction along which the error of products is estimated.
    ErrorEstimate = 7,
    /// The displacement to the point at which a batch and its parts are compared.
    Comparison = 8,
    /// Directions of a ball: stream `i` gives direction `i`.
    Ball = 20,
    /// Displacements of the average sharpness: stream `i` gives the pair `i`.
    Average = 21,
    /// Starts of a projected ascent: stream `i` gives start `i`.
    Ascent = 22,
    /// Probes of the second-order value of the average sharpness: stream `i` gives probe `i`.
    SecondOrder = 23,
    /// Vectors at which an operator is checked.
    Check = 30,
    /// Vectors whose products span the sketch of Hutch++; its probes are those of a trace.
    Sketch = 31,
    /// Test vectors of XTrace: stream `i` gives vector `i`.
    Exchangeable = 32,
    /// Probes of a Frobenius norm: stream `i` gives probe `i`.
    Frobenius = 33,
    /// Places on a curve: stream `i` gives those of step `i`.
    CurveTime = 40,
    /// Orders of the batches on which a curve is trained: stream `i` gives that of pass `i`.
    CurveOrder = 41,
    /// Orders of the batches of a risk: stream `i` gives that of pass `i`.
    BatchOrder = 42,
    /// Permutations of hidden units, the order in which groups of them are matched, and the point
    /// at which they are checked.
    Units = 60,
}

impl Purpose {
    /// Returns the number of this purpose's stream `index`, which is below 2⁴⁰.
    pub(crate) const fn stream(self, index: u64) -> u64 {
        ((self as u64) << 40) | index
    }
}

/// Returns the generator of a seed and a stream.
pub(crate) fn generator(seed: u64, stream: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(mix(seed ^ mix(stream.wrapping_add(1))))
}

/// Returns `n` independent standard normal numbers.
pub(crate) fn normal(seed: u64, stream: u64, n: usize) -> Vec<f64> {
    let mut generator = generator(seed, stream);
    (0..n)
        .map(|_| StandardNormal.sample(&mut generator))
        .collect()
}

/// Returns `n` independent signs, +1 or -1: the bits of each 64-bit output from the lowest upwards,
/// a set bit being -1.
pub(crate) fn rademacher(seed: u64, stream: u64, n: usize) -> Vec<f64> {
    let mut generator = generator(seed, stream);
    let mut signs = Vec::with_capacity(n);
    while signs.len() < n {
        let word = generator.next_u64();
        let take = (n - signs.len()).min(64);
        signs.extend((0..take).map(|bit| if word >> bit & 1 == 0 { 1.0 } else { -1.0 }));
    }
    signs
}

/// Returns `n` independent numbers uniform in [-1, 1): the upper 53 bits of each output.
#[expect(
    clippy::cast_precision_loss,
    reason = "a number of 53 bits is an f64 exactly"
)]
pub(crate) fn uniform(seed: u64, stream: u64, n: usize) -> Vec<f64> {
    let mut generator = generator(seed, stream);
    let scale = (1_u64 << 52) as f64;
    (0..n)
        .map(|_| (generator.next_u64() >> 11) as f64 / scale - 1.0)
        .collect()
}

/// Returns a point uniform on the unit sphere of `Rⁿ`: a normal vector over its norm.
pub(crate) fn sphere(seed: u64, stream: u64, n: usize) -> Vec<f64> {
    let mut point = normal(seed, stream, n);
    normalize(&mut point);
    point
}

/// Returns a uniform permutation of `0..n` (Fisher and Yates, from the last place down; the
/// remainder of a 64-bit output favours no place by more than n / 2⁶⁴).
pub(crate) fn shuffled(seed: u64, stream: u64, n: usize) -> Vec<usize> {
    let mut generator = generator(seed, stream);
    let mut order: Vec<usize> = (0..n).collect();
    for last in (1..n).rev() {
        let below = last as u64 + 1;
        let place = usize::try_from(generator.next_u64() % below).expect("a place below n");
        order.swap(last, place);
    }
    order
}

/// Mixes the bits of a number by the finaliser of SplitMix64 (Steele, Lea and Flood 2014), a
/// bijection.
const fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(seed: u64, stream: u64) -> [u64; 4] {
        let mut generator = generator(seed, stream);
        std::array::from_fn(|_| generator.next_u64())
    }

    // The expected numbers of this and the next two tests come from SplitMix64, Xoshiro256++ and
    // Doornik's ziggurat written independently in Python from the papers.
    #[test]
    fn stream_values_are_stable() {
        let expected = [
            (
                0,
                0,
                [
                    0xc9b5_9c69_2ce0_9e3f,
                    0x7005_7f22_2bf8_a533,
                    0x1fdd_1a29_7790_7ff9,
                    0x5f3a_40f5_aa52_67aa,
                ],
            ),
            (
                7,
                Purpose::Lanczos.stream(0),
                [
                    0x6060_5da0_e622_8c52,
                    0x7600_4431_d4ed_7790,
                    0x68b5_fca6_5446_291d,
                    0xaf64_2d6b_d32a_2f6b,
                ],
            ),
            (
                u64::MAX,
                u64::MAX,
                [
                    0xe535_1956_d601_035d,
                    0x71f7_5f9b_f486_7227,
                    0x91eb_128e_6dd3_7c48,
                    0xa17a_f432_98f2_de13,
                ],
            ),
        ];
        for (seed, stream, values) in expected {
            assert_eq!(words(seed, stream), values);
        }
    }

    // The expected order comes from the same independent generator and a shuffle written there.
    #[test]
    fn shuffled_values_are_stable() {
        let order = |stream| shuffled(7, Purpose::Units.stream(stream), 8);
        assert_eq!(order(0), [3, 1, 6, 2, 7, 0, 4, 5]);
        assert_eq!(order(1), [7, 1, 3, 0, 4, 5, 2, 6]);
        assert!(shuffled(7, 0, 0).is_empty());
    }

    #[test]
    fn rademacher_values_are_stable() {
        let signs = rademacher(7, Purpose::Trace.stream(3), 100);
        let first = [
            -1., 1., 1., 1., -1., 1., 1., 1., 1., 1., 1., 1., 1., 1., -1., -1.,
        ];
        assert_eq!(signs[..16], first);
        assert_eq!(signs[60..70], [1., 1., -1., 1., -1., 1., 1., -1., 1., -1.]);
        assert_eq!(signs.iter().sum::<f64>(), -6.0);
        assert_eq!(signs[..70], rademacher(7, Purpose::Trace.stream(3), 70));
    }

    #[test]
    fn uniform_values_are_stable() {
        // From the words of the first test, (w >> 11) / 2^52 - 1, in Python.
        let numbers = uniform(7, Purpose::Lanczos.stream(0), 4);
        let expected = [
            -0.247_059_151_111_652_9,
            -0.078_116_870_563_594_62,
            -0.181_946_200_165_340_9,
            0.370_244_672_440_393_83,
        ];
        for (x, y) in numbers.iter().zip(expected) {
            assert!((x - y).abs() < 1e-15, "{x} is not {y}");
        }
    }

    #[test]
    fn normal_values_are_stable() {
        let numbers = normal(42, Purpose::Direction.stream(0), 1000);
        let first = [
            0.098_324_280_947_138_17,
            -0.715_104_790_382_303_9,
            -0.329_937_761_581_535_9,
            0.295_166_154_688_704_2,
            -0.047_026_154_626_847_415,
            0.027_676_147_448_389_914,
        ];
        // Two programs round the ziggurat's table entries differently, by a few units in the last
        // place and more in the tail's recurrence.
        for (x, y) in numbers.iter().zip(first) {
            assert!((x - y).abs() < 1e-12, "{x} is not {y}");
        }
        assert!((numbers.iter().sum::<f64>() + 8.590_407_516_904_94).abs() < 1e-9);
        assert!((numbers.iter().map(|x| x * x).sum::<f64>() - 959.082_655_677_026_2).abs() < 1e-9);
    }

    #[test]
    fn normal_has_the_moments_of_the_standard_normal() {
        let n = 200_000;
        let numbers = normal(1, 0, n);
        let moment = |k: i32| numbers.iter().map(|x| x.powi(k)).sum::<f64>() / f64::from(200_000);
        // Standard errors of the first four sample moments: √(Var(xᵏ) / n), with variances
        // 1, 2, 15 and 96. Five of them.
        for (k, (mean, variance)) in [(0.0, 1.0), (1.0, 2.0), (0.0, 15.0), (3.0, 96.0_f64)]
            .into_iter()
            .enumerate()
        {
            let tolerance = 5.0 * (variance / f64::from(200_000)).sqrt();
            let order = i32::try_from(k).unwrap() + 1;
            assert!((moment(order) - mean).abs() < tolerance, "moment {order}");
        }
    }

    #[test]
    fn sphere_points_have_norm_one_and_no_preferred_axis() {
        let mut squares = [0.0; 3];
        for stream in 0..3000 {
            let point = sphere(5, stream, 3);
            let norm: f64 = point.iter().map(|x| x * x).sum();
            assert!((norm - 1.0).abs() < 1e-14);
            for (sum, x) in squares.iter_mut().zip(point) {
                *sum += x * x / 3000.0;
            }
        }
        // x² has mean 1/3 and variance 4/45: five standard errors of 3000 points are 0.027.
        for square in squares {
            assert!((square - 1.0 / 3.0).abs() < 0.027);
        }
    }

    #[test]
    fn purposes_seeds_and_indices_give_different_numbers() {
        let purposes = [
            Purpose::Direction,
            Purpose::Lanczos,
            Purpose::Restart,
            Purpose::Power,
            Purpose::Trace,
        ];
        let mut seen = std::collections::BTreeSet::new();
        for purpose in purposes {
            for index in 0..10 {
                for seed in 0..10 {
                    assert!(seen.insert(words(seed, purpose.stream(index))));
                }
            }
        }
    }
}
