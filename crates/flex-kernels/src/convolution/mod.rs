//! Convolutions of stride one without a matrix of patches, for `flex`.
//!
//! The images get a margin of zeros and are otherwise left as they are: with rows of W' entries an
//! output at (y, x), number `q = y W' + x` of its image, is the sum over channels c and window
//! entries (a, b) of
//!
//! ```text
//! weight[c, a, b] · image[c, q + a W' + b]
//! ```
//!
//! so that outputs next to each other take entries next to each other: a tile of the result, some
//! channels by a few vectors of outputs, is kept in registers as in a matrix product, and what
//! would be its second factor is read where it stands. The outputs between two rows, which there
//! are not, are computed and left out.

mod forward;
mod padded;
mod weights;

use burn_dispatch::DispatchTensor;
use burn_flex::FlexTensor;
use pulp::Arch;
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use crate::Windows;
use crate::lanes::Lanes;
use crate::real::{contiguous, float, for_type};
use forward::{Forward, Sum, Term};
use padded::{Images, Place};
use weights::Weights;

impl Windows {
    /// Returns the windows over the outputs of these that give the inputs back: the derivative of a
    /// convolution by its input is one by the same weights, turned around.
    fn back(&self) -> Self {
        let padding = [0, 1].map(|axis| {
            let reach = (self.kernel[axis] - 1) * self.dilation[axis];
            reach - self.padding[axis]
        });
        Self {
            input: self.output,
            output: self.input,
            padding,
            ..*self
        }
    }
}

/// Returns the sum of convolutions, each a weight `[O, C kh kw]` and images `[C, N, H, W]`, as
/// `[O, N Ho Wo]`.
#[must_use]
pub fn convolution(
    terms: &[[&DispatchTensor; 2]],
    windows: &Windows,
    images: usize,
) -> Option<DispatchTensor> {
    let terms = contiguous_terms(terms)?;
    let first = &terms.first()?[0];
    for_type!(first, forward(&terms, windows, images, None))
}

/// Returns the sum of the transposes of convolutions, each of a weight `[O, C kh kw]` and of
/// `[O, N Ho Wo]`, as images of `shape`, `[C, N, H, W]`.
#[must_use]
pub fn convolution_back(
    terms: &[[&DispatchTensor; 2]],
    windows: &Windows,
    shape: &[usize],
) -> Option<DispatchTensor> {
    let terms = contiguous_terms(terms)?;
    let first = &terms.first()?[0];
    let back = windows.back();
    for_type!(first, forward(&terms, &back, shape[1], Some(shape)))
}

/// Returns the derivative of a convolution by its weight, `[O, C kh kw]`: of outputs
/// `[O, N Ho Wo]` and images `[C, N, H, W]` the sum over outputs of their products.
#[must_use]
pub fn convolution_weights(
    outputs: &DispatchTensor,
    x: &DispatchTensor,
    windows: &Windows,
    images: usize,
) -> Option<DispatchTensor> {
    let (outputs, x) = (contiguous(outputs)?, contiguous(x)?);
    for_type!(outputs, of_weights(&x, windows, images))
}

fn contiguous_terms(terms: &[[&DispatchTensor; 2]]) -> Option<Vec<[FlexTensor; 2]>> {
    let both = |[weight, x]: &[&DispatchTensor; 2]| Some([contiguous(weight)?, contiguous(x)?]);
    terms.iter().map(both).collect()
}

/// Returns the sum of convolutions; with a `shape` of those by turned weights, in this shape.
fn forward<E: Lanes>(
    _: &FlexTensor,
    terms: &[[FlexTensor; 2]],
    windows: &Windows,
    images: usize,
    shape: Option<&[usize]>,
) -> Option<DispatchTensor> {
    let place = Place::of(windows, images);
    let taps = windows.kernel[0] * windows.kernel[1];
    let mut channels = 0;
    let mut packed = Vec::with_capacity(terms.len());
    for [weight, x] in terms {
        let (weight, x) = (E::entries(weight)?, E::entries(x)?);
        let x = Images::new(x, images, windows.input);
        channels = weight.len() / (x.channels * taps).max(1);
        let term = Term {
            weights: forward::pack(weight, [channels, x.channels, taps], shape.is_some()),
            offsets: forward::offsets(windows, &place, x.channels),
            x,
        };
        packed.push(term);
    }
    let per_channel = images * windows.output[0] * windows.output[1];
    let mut result = vec![E::default(); channels * per_channel];
    let rows = forward::rows::<E>();
    let panels = channels.div_ceil(rows);
    let chunk = panels.div_ceil(rayon::current_num_threads());
    let pieces = result.par_chunks_mut((chunk * rows * per_channel).max(1));
    pieces.enumerate().for_each(|(piece, result)| {
        let of = Sum {
            terms: &packed,
            windows,
            place: &place,
        };
        Arch::new().dispatch(Forward {
            of,
            first: piece * chunk,
            result,
        });
    });
    let flat = [channels, per_channel];
    Some(float(result, shape.unwrap_or(&flat)))
}

fn of_weights<E: Lanes>(
    outputs: &FlexTensor,
    x: &FlexTensor,
    windows: &Windows,
    images: usize,
) -> Option<DispatchTensor> {
    let place = Place::of(windows, images);
    let outputs = Images::new(E::entries(outputs)?, images, windows.output);
    let x = Images::new(E::entries(x)?, images, windows.input);
    let per_channel = x.channels * windows.kernel[0] * windows.kernel[1];
    let mut result = vec![E::default(); outputs.channels * per_channel];
    let chunk = outputs.channels.div_ceil(rayon::current_num_threads());
    let pieces = result.par_chunks_mut((chunk * per_channel).max(1));
    pieces.enumerate().for_each(|(piece, result)| {
        Arch::new().dispatch(Weights {
            outputs,
            x,
            windows,
            place: &place,
            first: piece * chunk,
            result,
        });
    });
    Some(float(result, &[outputs.channels, per_channel]))
}

#[cfg(test)]
mod tests;
