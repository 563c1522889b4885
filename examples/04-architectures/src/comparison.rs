//! Plain against residual networks, and networks without a norm against those with BatchNorm.

use crate::network::Architecture;
use crate::outcome::{Outcome, share_above};

/// Networks of one width and one norm: values of the plain ones and of the residual ones, one for
/// each seed.
pub struct Comparison {
    /// The norm and the width in words.
    pub name: String,
    /// Training losses.
    pub losses: [Vec<f64>; 2],
    /// Shares of the validation images that are classified rightly.
    pub accuracies: [Vec<f64>; 2],
    /// Shares of the plane that are high, as [`share_above`] has it.
    pub shares: [Vec<f64>; 2],
    /// The share of the network without a norm over that of this one. A share of zero counts as
    /// one point of the plane, so that the ratio is then a lower bound.
    pub bare_over_this: [Vec<f64>; 2],
    /// The share of the plain network over that of the residual one, with the same bound.
    pub plain_over_residual: Vec<f64>,
}

/// A figure as it is read off an outcome.
type Read = fn(&Outcome) -> f64;

/// Returns three comparisons for each width: without a norm, and with BatchNorm by the statistics
/// that were kept from the training and by those of each batch. `found` is in the order of
/// [`Architecture::all`].
#[must_use]
pub fn comparisons(found: &[(Architecture, Vec<Outcome>)]) -> Vec<Comparison> {
    let kept: Read = |outcome| share_above(&outcome.kept);
    let batch: Read = |outcome| outcome.batch.as_ref().map_or(f64::NAN, share_above);
    let mut all = Vec::new();
    for of_width in found.chunks_exact(4) {
        let (bare, normed) = of_width.split_at(2);
        let reference = pair(bare, kept);
        let points = bare[0]
            .1
            .first()
            .map_or(1, |outcome| outcome.kept.loss.len());
        let least = 1.0 / points as f64;
        for (norm, networks, share) in [
            ("no norm", bare, kept),
            ("BatchNorm, kept statistics", normed, kept),
            ("BatchNorm, statistics of the batch", normed, batch),
        ] {
            let shares = pair(networks, share);
            all.push(Comparison {
                name: format!("{norm}, {} channels", networks[0].0.width),
                losses: pair(networks, |outcome| outcome.loss),
                accuracies: pair(networks, |outcome| outcome.accuracy),
                bare_over_this: [0, 1].map(|kind| {
                    if networks[kind].0.norm {
                        ratios(&reference[kind], &shares[kind], least)
                    } else {
                        vec![1.0; shares[kind].len()]
                    }
                }),
                plain_over_residual: ratios(&shares[0], &shares[1], least),
                shares,
            });
        }
    }
    all
}

/// Returns the values of the plain networks and of the residual ones.
fn pair(networks: &[(Architecture, Vec<Outcome>)], read: Read) -> [Vec<f64>; 2] {
    [0, 1].map(|kind| networks[kind].1.iter().map(read).collect())
}

/// Returns the ratios of the values of each seed; what is below `least` counts as that much.
fn ratios(above: &[f64], below: &[f64], least: f64) -> Vec<f64> {
    let pairs = above.iter().zip(below);
    pairs.map(|(a, b)| a / b.max(least)).collect()
}
