//! The entries of the gradients of single examples beside the weights that they belong to.

use std::ops::ControlFlow;

use burn::module::Module;

use super::counts::{self, BINS, OCTAVE, SIDE, magnitude};
use super::rows::for_each_gradient;
use crate::batch::Batch;
use crate::error::Error;
use crate::risk::{Objective, Risk};
use crate::vector::{download, largest_magnitude};

/// Bins along the weights.
const COLUMNS: usize = 40;

/// Powers of two that are told apart below the largest entry.
const OCTAVES: usize = 12;

/// Bins between two powers of two.
const TO_OCTAVE: usize = 2;

/// A count of the N P entries of the example gradients by their size and by the value of their
/// weight.
#[derive(Debug, Clone, PartialEq)]
pub struct GradientsAndWeights {
    /// Edges of the bins of weights, ascending and equidistant, symmetric about zero, `[W + 1]`.
    pub weights: Vec<f64>,
    /// Edges of the bins of gradient entries, ascending, `[G + 1]`: symmetric about zero, two bins
    /// to a factor of two over a range of `2¹²`, and one in the middle for all that is smaller.
    pub gradients: Vec<f64>,
    /// The entries in each bin, `[G, W]` row by row: `counts[i * W + j]` for gradients in bin i
    /// and weights in bin j.
    pub counts: Vec<u64>,
    /// Number of examples N.
    pub examples: usize,
    /// Whether the examples of some batch touch each other.
    pub coupled: bool,
}

/// Returns how the entries `gₙᵢ` of the gradients of the examples of a risk go with the weights
/// `θᵢ`.
///
/// Cost and memory as [`gradient_histogram`](super::gradient_histogram).
///
/// # Errors
/// As [`gradient_histogram`](super::gradient_histogram), and a weight that is not finite.
///
/// # Examples
/// ```
/// use burn::module::Param;
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Device, Tensor};
/// use landscape::{Risk, per_example};
///
/// let device = Device::flex();
/// let mut model = LinearConfig::new(2, 1).with_bias(false).init(&device);
/// model.weight = Param::from_data([[-0.5], [0.5]], &device);
/// let batch = Tensor::<2>::from_floats([[1.0, 0.0], [1.0, 0.0]], &device);
/// // The loss terms wᵀx have the gradients x: the negative weight has all.
/// let risk = Risk::mean([batch], |model: &Linear, x: &Tensor<2>| {
///     model.forward(x.clone()).mean()
/// });
/// let found = per_example::gradients_and_weights(&model, &risk)?;
/// let columns = found.weights.len() - 1;
/// let top = &found.counts[found.counts.len() - columns..];
/// assert_eq!((top[0], top[columns - 1]), (2, 0));
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// # References
/// Schneider, Dangel, Hennig 2021, "Cockpit", section 3 and figure 2: there the edges of both axes
/// are equidistant in a range that is given, and what lies outside is put at its ends.
pub fn gradients_and_weights<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
) -> Result<GradientsAndWeights, Error> {
    gradients_and_weights_observed(model, risk, |_| ControlFlow::Continue(()))
}

/// Returns the same as [`gradients_and_weights`], and asks `going_on` after each batch, with the
/// number of examples done, whether to go on.
///
/// # Errors
/// As [`gradients_and_weights`], and [`Error::Cancelled`].
pub fn gradients_and_weights_observed<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
    going_on: impl FnMut(usize) -> ControlFlow<()>,
) -> Result<GradientsAndWeights, Error> {
    let objective = Objective::at(model, risk)?;
    let theta = download(objective.origin());
    if theta.iter().any(|weight| !weight.is_finite()) {
        return Err(Error::NonFiniteVector {
            what: "vector of weights",
        });
    }
    // Weights that are all zero need some range too.
    let largest = Some(largest_magnitude(&theta)).filter(|largest| *largest > 0.0);
    let weights = edges(largest.unwrap_or(1.0));
    let columns: Vec<usize> = theta
        .iter()
        .map(|weight| column(*weight, &weights))
        .collect();
    let mut counted = vec![0_u64; COLUMNS * BINS];
    let count = |gradient: &[f64]| {
        for (entry, column) in gradient.iter().zip(&columns) {
            counted[column * BINS + counts::bin(*entry)] += 1;
        }
    };
    let seen = for_each_gradient(&objective, count, going_on)?;
    let (gradients, counts) = coarse(&counted);
    Ok(GradientsAndWeights {
        weights,
        gradients,
        counts,
        examples: seen.examples,
        coupled: seen.coupled,
    })
}

/// Returns the edges of the bins of weights up to a magnitude.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn edges(largest: f64) -> Vec<f64> {
    let edge = |k: usize| largest * (2 * k) as f64 / COLUMNS as f64 - largest;
    let mut edges: Vec<f64> = (0..=COLUMNS).map(edge).collect();
    edges[COLUMNS] = largest;
    edges
}

/// Returns the bin of a weight; the largest one belongs to the last.
fn column(weight: f64, edges: &[f64]) -> usize {
    let above = edges.partition_point(|edge| *edge <= weight);
    above.saturating_sub(1).min(COLUMNS - 1)
}

/// Returns edges and counts of the coarse bins of gradient entries, from those of the fine ones.
fn coarse(counted: &[u64]) -> (Vec<f64>, Vec<u64>) {
    let is_used = |bin: usize| (0..COLUMNS).any(|column| counted[column * BINS + bin] > 0);
    let width = OCTAVE / TO_OCTAVE;
    // The fine bins on one side up to the one with the largest entry, up to a full coarse one.
    let used = (0..SIDE)
        .rev()
        .find(|k| is_used(SIDE + 1 + k) || is_used(SIDE - 1 - k));
    let top = used.map_or(1, |k| k + 1).next_multiple_of(width);
    let rows = (OCTAVES * TO_OCTAVE).min(top / width);
    let bottom = top - rows * width;
    // The coarse bin of a fine one: `rows` on either side of the middle one.
    let row = |bin: usize| {
        let (from_zero, is_negative) = match bin {
            SIDE => return rows,
            bin if bin < SIDE => (SIDE - 1 - bin, true),
            bin => (bin - SIDE - 1, false),
        };
        match from_zero.checked_sub(bottom) {
            None => rows,
            Some(above) if is_negative => rows - 1 - above / width,
            Some(above) => rows + 1 + above / width,
        }
    };
    let mut counts = vec![0; (2 * rows + 1) * COLUMNS];
    for (column, of_column) in counted.chunks_exact(BINS).enumerate() {
        for (bin, count) in of_column
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
        {
            counts[row(bin) * COLUMNS + column] += count;
        }
    }
    let positive: Vec<f64> = (0..=rows).map(|k| magnitude(bottom + k * width)).collect();
    let negative = positive.iter().rev().map(|edge| -edge);
    (negative.chain(positive.iter().copied()).collect(), counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_lie_between_the_edges_of_their_bins() {
        let edges = edges(0.3);
        assert_eq!(
            (edges[0], edges[COLUMNS], edges.len()),
            (-0.3, 0.3, COLUMNS + 1)
        );
        for weight in [-0.3, -0.299, -1e-9, 0.0, 1e-9, 0.1, 0.3] {
            let column = column(weight, &edges);
            assert!(
                edges[column] <= weight && weight <= edges[column + 1],
                "{weight}"
            );
        }
    }

    #[test]
    fn coarse_bins_hold_what_lies_between_their_edges() {
        let entries = [3.1, 3.0, -2.0, 1.5, 0.7, -0.1, 1e-3, 8e-4, 7e-4, -1e-9, 0.0];
        let mut counted = vec![0; COLUMNS * BINS];
        for entry in entries {
            counted[7 * BINS + counts::bin(entry)] += 1;
        }
        let (edges, found) = coarse(&counted);
        assert_eq!(edges.len(), 2 * OCTAVES * TO_OCTAVE + 2);
        // 3.1 is the largest: the bins end at 4, and begin at 4 / 2^12.
        let (first, last) = (OCTAVES * TO_OCTAVE + 1, edges.len() - 1);
        assert_eq!((edges[last], edges[first]), (4.0, 4.0 / 4096.0));
        assert!(edges.is_sorted());
        for (row, ends) in edges.windows(2).enumerate() {
            let within = |entry: &&f64| {
                // The bins of negative entries hold their left end, which is farther from zero.
                if **entry < 0.0 && row + 1 != first {
                    ends[0] < **entry && **entry <= ends[1]
                } else {
                    ends[0] <= **entry && **entry < ends[1]
                }
            };
            let expected = entries.iter().filter(within).count() as u64;
            assert_eq!(found[row * COLUMNS + 7], expected, "{ends:?}");
        }
        assert_eq!(found.iter().sum::<u64>(), entries.len() as u64);
        // Nothing but zeros.
        let mut zeros = vec![0; COLUMNS * BINS];
        zeros[SIDE] = 5;
        let (edges, found) = coarse(&zeros);
        assert_eq!((edges.len(), found.iter().sum::<u64>()), (4, 5));
        assert_eq!(found[COLUMNS], 5);
    }
}
