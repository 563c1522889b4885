//! All entries of the gradients of single examples, counted.

use std::ops::ControlFlow;

use burn::module::Module;

use super::counts::{self, BINS, edge};
use super::rows::for_each_gradient;
use crate::batch::Batch;
use crate::error::Error;
use crate::risk::{Objective, Risk};

/// A count of the N P entries of the example gradients.
#[derive(Debug, Clone, PartialEq)]
pub struct GradientHistogram {
    /// The bins with an entry, ascending. Four bins make a factor of two, so that a bin is at most
    /// a quarter of its entries wide; entries below `2⁻⁸⁰` lie in a bin around zero, and those of
    /// `2⁴⁸` and above in the last one.
    pub bins: Vec<HistogramBin>,
    /// Number of examples N.
    pub examples: usize,
    /// Number of parameters P.
    pub parameters: usize,
    /// Whether the examples of some batch touch each other.
    pub coupled: bool,
}

/// One bin of a [`GradientHistogram`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HistogramBin {
    /// The smaller end.
    pub left: f64,
    /// The larger end.
    pub right: f64,
    /// The number of entries.
    pub count: u64,
}

/// Returns the histogram of all entries `gₙᵢ` of the gradients of the examples of a risk.
///
/// The edges of the bins do not depend on the data, so that the order of the examples and the way
/// in which batches are cut change nothing, and histograms of several steps can be compared. They
/// lie closer to each other towards zero, where most entries are; in Cockpit's histogram they are
/// equidistant, and what lies outside their range is put at its ends.
///
/// Cost and memory as [`statistics`](super::statistics).
///
/// # Errors
/// As [`Objective::example_gradients`], an entry that is not finite.
///
/// # Examples
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Device, Tensor};
/// use landscape::{Risk, per_example};
///
/// let device = Device::flex();
/// let model = LinearConfig::new(1, 1).with_bias(false).init(&device);
/// let batch = Tensor::<2>::from_floats([[1.1], [0.0], [1.0]], &device);
/// // The loss terms w x have the gradients x.
/// let risk = Risk::mean([batch], |model: &Linear, x: &Tensor<2>| {
///     model.forward(x.clone()).mean()
/// });
/// let found = per_example::gradient_histogram(&model, &risk)?;
/// assert_eq!((found.bins[0].count, found.bins[1].count), (1, 2));
/// assert_eq!((found.bins[1].left, found.bins[1].right), (1.0, 1.25));
/// # Ok::<(), landscape::Error>(())
/// ```
pub fn gradient_histogram<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
) -> Result<GradientHistogram, Error> {
    gradient_histogram_observed(model, risk, |_| ControlFlow::Continue(()))
}

/// Returns the same as [`gradient_histogram`], and asks `going_on` after each batch, with the
/// number of examples done, whether to go on.
///
/// # Errors
/// As [`gradient_histogram`], and [`Error::Cancelled`].
pub fn gradient_histogram_observed<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
    going_on: impl FnMut(usize) -> ControlFlow<()>,
) -> Result<GradientHistogram, Error> {
    let objective = Objective::at(model, risk)?;
    let mut counted = vec![0_u64; BINS];
    let count = |gradient: &[f64]| {
        for entry in gradient {
            counted[counts::bin(*entry)] += 1;
        }
    };
    let seen = for_each_gradient(&objective, count, going_on)?;
    let bins = counted.into_iter().enumerate();
    let bins = bins.filter(|(_, count)| *count > 0);
    let bins = bins.map(|(bin, count)| HistogramBin {
        left: edge(bin),
        right: edge(bin + 1),
        count,
    });
    Ok(GradientHistogram {
        bins: bins.collect(),
        examples: seen.examples,
        coupled: seen.coupled,
        parameters: objective.space().dim(),
    })
}
