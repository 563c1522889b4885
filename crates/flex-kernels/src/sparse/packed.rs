//! A dense matrix in blocks of columns, each as wide as a tile of the result.

use pulp::{Arch, Simd, WithSimd};

use super::kernel::most_vectors;
use crate::lanes::{Lanes, copy};

/// Positions that are packed at a time of a matrix that is given by columns.
const PIECE: usize = 16;

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Packed<E> {
    pub(super) inner: usize,
    pub(super) columns: usize,
    /// Columns of a block, the last with zeros where there are no more.
    pub(super) width: usize,
    entries: Vec<E>,
    /// Start of the first block, at an address from which a vector is read at once.
    start: usize,
}

impl<E: Lanes> Packed<E> {
    /// Returns the matrix with so many rows and columns, given row by row, or with `transposed`
    /// column by column; `None` if an entry is not finite.
    pub(super) fn of(b: &[E], inner: usize, columns: usize, transposed: bool) -> Option<Self> {
        Arch::new().dispatch(Packing {
            b,
            inner,
            columns,
            transposed,
        })
    }

    /// Returns the number of blocks.
    pub(super) const fn blocks(&self) -> usize {
        self.columns.div_ceil(self.width)
    }

    /// Returns a block, row by row.
    pub(super) fn block(&self, block: usize) -> &[E] {
        let size = self.inner * self.width;
        &self.entries[self.start + block * size..][..size]
    }
}

struct Packing<'a, E> {
    b: &'a [E],
    inner: usize,
    columns: usize,
    transposed: bool,
}

impl<E: Lanes> WithSimd for Packing<'_, E> {
    type Output = Option<Packed<E>>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Option<Packed<E>> {
        let Self {
            b, inner, columns, ..
        } = self;
        if !b.iter().fold(true, |all, &x| all & x.is_finite()) {
            return None;
        }
        let lanes = E::lanes::<S>();
        let width = most_vectors::<E, S>().min(columns.div_ceil(lanes)) * lanes;
        let size = inner * width;
        let bytes = lanes * size_of::<E>();
        let mut entries = vec![E::default(); columns.div_ceil(width) * size + lanes];
        let start = entries.as_ptr().align_offset(bytes).min(lanes);
        for (block, packed) in entries[start..].chunks_exact_mut(size).enumerate() {
            let first = block * width;
            let columns = width.min(columns - first);
            if self.transposed {
                for (piece, packed) in packed.chunks_mut(PIECE * width).enumerate() {
                    for column in 0..columns {
                        let b = &b[(first + column) * inner + piece * PIECE..];
                        for (row, &b) in packed.chunks_exact_mut(width).zip(b) {
                            row[column] = b;
                        }
                    }
                }
            } else {
                let rows = packed.chunks_exact_mut(width);
                for (row, b) in rows.zip(b.chunks_exact(self.columns)) {
                    copy::<E, S>(&b[first..first + columns], row);
                }
            }
        }
        Some(Packed {
            inner,
            columns: self.columns,
            width,
            entries,
            start,
        })
    }
}
