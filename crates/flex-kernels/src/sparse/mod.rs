//! Products with a matrix most of whose entries are zero, or equal to one number in each column,
//! for `flex`, which multiplies all of them.
//!
//! Data is such a matrix where it is images with an empty background, words by counts, or other
//! features that are mostly absent; four of five pixels of MNIST are zero. Its rows are put into
//! panels of four that differ from the background in similar columns, and of a panel only the
//! columns are kept in which one of its rows differs. The product with a dense matrix leaves the
//! other columns out, and is otherwise done as dense products are: a tile of the result is kept in
//! registers. Products with the transposed matrix have panels of their own.

mod background;
mod kernel;
mod packed;
mod panels;

use std::any::Any;

use burn_dispatch::DispatchTensor;
use burn_flex::FlexTensor;
use pulp::Arch;
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use crate::lanes::Lanes;
use crate::real::{float, for_type, in_a_row, on_flex};
use kernel::{Rows, Turned};
use packed::Packed;
use panels::Panels;

/// A matrix most of whose entries are zero, or one number in each column, in panels of rows that
/// leave those out.
#[derive(Debug)]
pub struct Sparse {
    panels: Box<dyn Any + Send + Sync>,
    bytes: usize,
}

impl Sparse {
    /// Returns whether products with a matrix of this shape may be faster for panels: with few
    /// entries, or few in a row or a column, there is little to win.
    #[must_use]
    pub const fn may_pay(rows: usize, columns: usize) -> bool {
        rows * columns >= 1 << 13 && rows >= 32 && columns >= 32
    }

    /// Returns the matrix `x`, or with `transposed` its transpose, in panels; `None` where
    /// products with it would not be faster for it.
    #[must_use]
    pub fn new(x: &DispatchTensor, transposed: bool) -> Option<Self> {
        let x = in_a_row(on_flex(x.clone())?);
        for_type!(x, in_panels(transposed))
    }

    /// Returns the bytes of the panels.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the product of this matrix and `b`, or with `transpose_b` the transpose of `b`;
    /// with `turned` the transpose of the product. `None` where `b` has an entry that is not
    /// finite: its product with a zero that is left out is not zero.
    #[must_use]
    pub fn times(
        &self,
        b: &DispatchTensor,
        transpose_b: bool,
        turned: bool,
    ) -> Option<DispatchTensor> {
        let b = in_a_row(on_flex(b.clone())?);
        for_type!(b, product(&*self.panels, transpose_b, turned))
    }
}

fn in_panels<E: Lanes>(x: &FlexTensor, transposed: bool) -> Option<Sparse> {
    let [rows, columns]: [usize; 2] = x.layout().shape().to_vec().try_into().ok()?;
    if !Sparse::may_pay(rows, columns) {
        return None;
    }
    let panels = Panels::new(E::entries(x)?, columns, transposed)?;
    Some(Sparse {
        bytes: panels.bytes(),
        panels: Box::new(panels),
    })
}

fn product<E: Lanes>(
    b: &FlexTensor,
    panels: &(dyn Any + Send + Sync),
    transpose_b: bool,
    turned: bool,
) -> Option<DispatchTensor> {
    let panels = panels.downcast_ref::<Panels<E>>()?;
    let shape: [usize; 2] = b.layout().shape().to_vec().try_into().ok()?;
    let [inner, columns] = if transpose_b {
        [shape[1], shape[0]]
    } else {
        shape
    };
    if inner != panels.inner {
        return None;
    }
    if columns == 0 {
        return None;
    }
    let packed = Packed::of(E::entries(b)?, inner, columns, transpose_b)?;
    let rows = panels.rows;
    let mut result = vec![E::default(); rows * columns];
    let threads = rayon::current_num_threads();
    if turned {
        let width = packed.width;
        let blocks = packed.blocks().div_ceil(threads);
        let pieces = result.par_chunks_mut(blocks * width * rows).enumerate();
        pieces.for_each(|(piece, result)| {
            Arch::new().dispatch(Turned {
                panels,
                packed: &packed,
                first: piece * blocks,
                result,
            });
        });
        return Some(float(result, &[columns, rows]));
    }
    let groups = panels.groups().div_ceil(threads);
    let pieces = result
        .par_chunks_mut(groups * panels::GROUP * columns)
        .enumerate();
    pieces.for_each(|(piece, result)| {
        Arch::new().dispatch(Rows {
            panels,
            packed: &packed,
            groups: piece * groups..(piece + 1) * groups,
            result,
        });
    });
    Some(float(result, &[rows, columns]))
}

#[cfg(test)]
mod tests;
