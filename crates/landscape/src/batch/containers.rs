//! Tensors as batches, and what holds several batches.

use burn::tensor::{Bool, Int, Tensor};

use super::{Batch, TensorMapper};

impl<const D: usize> Batch for Tensor<D> {
    fn map<F: TensorMapper>(self, f: &mut F) -> Self {
        f.float(self)
    }
}

impl<const D: usize> Batch for Tensor<D, Int> {
    fn map<F: TensorMapper>(self, f: &mut F) -> Self {
        f.int(self)
    }
}

impl<const D: usize> Batch for Tensor<D, Bool> {
    fn map<F: TensorMapper>(self, f: &mut F) -> Self {
        f.bool(self)
    }
}

/// Something that a batch may have or not, such as a mask.
impl<B: Batch> Batch for Option<B> {
    fn map<F: TensorMapper>(self, f: &mut F) -> Self {
        self.map(|batch| batch.map(f))
    }
}

/// As many as there are, each with the same examples: the views of an image, say.
impl<B: Batch> Batch for Vec<B> {
    fn map<F: TensorMapper>(self, f: &mut F) -> Self {
        self.into_iter().map(|batch| batch.map(f)).collect()
    }
}

/// So many, each with the same examples.
impl<B: Batch, const N: usize> Batch for [B; N] {
    fn map<F: TensorMapper>(self, f: &mut F) -> Self {
        self.map(|batch| batch.map(f))
    }
}

macro_rules! for_tuples {
    ($(($($part:ident $number:tt),+))+) => {$(
        impl<$($part: Batch),+> Batch for ($($part,)+) {
            fn map<F: TensorMapper>(self, f: &mut F) -> Self {
                ($(self.$number.map(f),)+)
            }
        }
    )+};
}

for_tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, G 5)
    (A 0, B 1, C 2, D 3, E 4, G 5, H 6)
    (A 0, B 1, C 2, D 3, E 4, G 5, H 6, I 7)
}
