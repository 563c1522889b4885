//! The outputs of a model: one tensor, or several.

use burn::tensor::Tensor;
use derivatives::Outputs;

/// The outputs of a model, on which its loss is: a tensor, or a tuple of up to four tensors.
///
/// Gauss-Newton takes the tensors of a tuple together as one vector of outputs.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not what a model's outputs can be",
    label = "the outputs of `Risk::of` are a float tensor, or a tuple of up to four",
    note = "return the tensors in a tuple, or join them by `Tensor::cat`"
)]
pub trait ModelOutputs: Sized {
    /// Returns the outputs, which are marked as such in the recording of the loss.
    #[must_use]
    fn marked(self, marks: &mut Outputs) -> Self;
}

impl<const D: usize> ModelOutputs for Tensor<D> {
    fn marked(self, marks: &mut Outputs) -> Self {
        marks.mark(&self);
        self
    }
}

macro_rules! for_tuples {
    ($(($($rank:ident $part:ident),+))+) => {$(
        impl<$(const $rank: usize),+> ModelOutputs for ($(Tensor<$rank>,)+) {
            fn marked(self, marks: &mut Outputs) -> Self {
                let ($($part,)+) = self;
                $(let $part = ($part.dims(), $part);)+
                let firsts = [$($part.0[0]),+];
                // Rows of examples where all tensors have as many, one row otherwise.
                let rows = if firsts.iter().all(|&first| first == firsts[0]) { firsts[0] } else { 1 };
                let joined = Tensor::cat(vec![$($part.1.reshape([rows, columns(&$part.0, rows)])),+], 1);
                marks.mark(&joined);
                let mut start = 0;
                $(
                    let width = columns(&$part.0, rows);
                    let $part = joined.clone().slice_dim(1, start..start + width).reshape($part.0);
                    #[allow(unused_assignments, reason = "the last is not read")]
                    { start += width; }
                )+
                ($($part,)+)
            }
        }
    )+};
}

/// Returns the entries in a row of a tensor of this shape.
fn columns(shape: &[usize], rows: usize) -> usize {
    shape.iter().product::<usize>() / rows.max(1)
}

for_tuples! {
    (D a)
    (D a, E b)
    (D a, E b, F c)
    (D a, E b, F c, G d)
}
