//! Tiles of the product of panels and a packed matrix, in registers.

use std::ops::Range;

use pulp::{Simd, WithSimd, bytemuck};

use super::packed::Packed;
use super::panels::{Background, Kept, NONE, Panels, ROWS};
use crate::lanes::{Lanes, copy};

/// Returns how many vectors a row of a tile has at most: four rows of them, a row of the packed
/// matrix and an entry of a panel stay in registers, 32 with AVX-512 and 16 before it. With three
/// of them before it, which 16 hold just so, the compiler puts one elsewhere.
#[inline(always)]
pub(super) fn most_vectors<E: Lanes, S: Simd>() -> usize {
    if E::are_wide::<S>() { 4 } else { 2 }
}

/// Rows of the product, of whole groups of panels.
pub(super) struct Rows<'a, E> {
    pub(super) panels: &'a Panels<E>,
    pub(super) packed: &'a Packed<E>,
    pub(super) groups: Range<usize>,
    pub(super) result: &'a mut [E],
}

impl<E: Lanes> WithSimd for Rows<'_, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let columns = self.packed.columns;
        let above = self.groups.start * super::panels::GROUP;
        for block in 0..self.packed.blocks() {
            let first = block * self.packed.width;
            let tiles = Tiles {
                panels: self.panels,
                packed: self.packed,
                block,
                groups: self.groups.clone(),
            };
            tiles.all(simd, |row, entries: &[E]| {
                let result = &mut self.result[(row - above) * columns + first..][..entries.len()];
                copy::<E, S>(entries, result);
            });
        }
    }
}

/// Columns of the product, each in a row: of whole blocks of the packed matrix from `first` on.
pub(super) struct Turned<'a, E> {
    pub(super) panels: &'a Panels<E>,
    pub(super) packed: &'a Packed<E>,
    pub(super) first: usize,
    pub(super) result: &'a mut [E],
}

impl<E: Lanes> WithSimd for Turned<'_, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let rows = self.panels.rows;
        let blocks = self.result.chunks_mut(self.packed.width * rows);
        for (block, result) in blocks.enumerate() {
            let tiles = Tiles {
                panels: self.panels,
                packed: self.packed,
                block: self.first + block,
                groups: 0..self.panels.groups(),
            };
            tiles.all(simd, |row, entries: &[E]| {
                for (column, &entry) in result.chunks_exact_mut(rows).zip(entries) {
                    column[row] = entry;
                }
            });
        }
    }
}

/// The tiles of one block of columns.
struct Tiles<'a, E> {
    panels: &'a Panels<E>,
    packed: &'a Packed<E>,
    block: usize,
    groups: Range<usize>,
}

impl<E: Lanes> Tiles<'_, E> {
    /// Calls `write` with each row of the product and its entries in the block.
    #[inline(always)]
    fn all<S: Simd>(&self, simd: S, write: impl FnMut(usize, &[E])) {
        match self.packed.width / E::lanes::<S>() {
            1 => self.of_vectors::<S, 1>(simd, write),
            2 => self.of_vectors::<S, 2>(simd, write),
            3 => self.of_vectors::<S, 3>(simd, write),
            _ => self.of_vectors::<S, 4>(simd, write),
        }
    }

    #[inline(always)]
    fn of_vectors<S: Simd, const V: usize>(&self, simd: S, mut write: impl FnMut(usize, &[E])) {
        let vectors: &[E::Vector<S>] = bytemuck::cast_slice(self.packed.block(self.block));
        let (rows, _) = vectors.as_chunks::<V>();
        let of_background = self.of_background::<S, V>(simd, rows);
        let width = self.packed.width;
        let columns = width.min(self.packed.columns - self.block * width);
        for kept in self.panels.of(self.groups.clone()) {
            let start = self.start::<S, V>(simd, &kept, of_background);
            let tile = tile::<E, S, V>(simd, &kept, rows, start);
            for (&row, tile) in kept.rows.iter().zip(&tile) {
                if row != NONE {
                    let entries: &[E] = bytemuck::cast_slice(tile);
                    write(row as usize, &entries[..columns]);
                }
            }
        }
    }

    /// Returns what the background of one row gives, where a row has 1 if each has one number.
    #[inline(always)]
    fn of_background<S: Simd, const V: usize>(
        &self,
        simd: S,
        rows: &[[E::Vector<S>; V]],
    ) -> [E::Vector<S>; V] {
        let mut sums = [E::splat(simd, E::default()); V];
        let mut add = |number: E, row: &[E::Vector<S>; V]| {
            let number = E::splat(simd, number);
            for (sum, &b) in sums.iter_mut().zip(row) {
                *sum = E::mul_add(simd, number, b, *sum);
            }
        };
        match &self.panels.background {
            Background::Zero => {}
            Background::OfColumns(numbers) => {
                for (&number, row) in numbers.iter().zip(rows) {
                    add(number, row);
                }
            }
            Background::OfRows(_) => {
                for row in rows {
                    add(E::of(1.0), row);
                }
            }
        }
        sums
    }

    /// Returns what a tile is without the entries that are kept.
    #[inline(always)]
    fn start<S: Simd, const V: usize>(
        &self,
        simd: S,
        kept: &Kept<'_, E>,
        of_background: [E::Vector<S>; V],
    ) -> [[E::Vector<S>; V]; ROWS] {
        let Background::OfRows(numbers) = &self.panels.background else {
            return [of_background; ROWS];
        };
        let zero = E::splat(simd, E::default());
        kept.rows.map(|row| {
            let number = numbers.get(row as usize).copied().unwrap_or_default();
            let number = E::splat(simd, number);
            of_background.map(|sum| E::mul_add(simd, number, sum, zero))
        })
    }
}

/// Returns `start` and the product of a panel and the rows of a block.
#[inline(always)]
fn tile<E: Lanes, S: Simd, const V: usize>(
    simd: S,
    kept: &Kept<'_, E>,
    rows: &[[E::Vector<S>; V]],
    start: [[E::Vector<S>; V]; ROWS],
) -> [[E::Vector<S>; V]; ROWS] {
    let mut tile = start;
    for (&column, entries) in kept.columns.iter().zip(kept.entries) {
        let b = &rows[column as usize];
        for (sums, &x) in tile.iter_mut().zip(entries) {
            let x = E::splat(simd, x);
            for (sum, &b) in sums.iter_mut().zip(b) {
                *sum = E::mul_add(simd, x, b, *sum);
            }
        }
    }
    tile
}
