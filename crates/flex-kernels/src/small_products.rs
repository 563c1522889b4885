//! Many products of small matrices, as attention has for each head and example, for `flex`, whose
//! own calls cost several times the arithmetic of such a product.

use burn_dispatch::DispatchTensor;
use burn_flex::FlexTensor;
use pulp::{Arch, Simd, WithSimd, bytemuck};
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use crate::lanes::Lanes;
use crate::real::{float, for_type, on_flex};

/// Multiplications of the largest product for which packing both factors pays.
const MOST: usize = 32 * 32 * 32;
/// Fewest multiplications of all products that are shared among the cores.
const SHARED: usize = 1 << 18;
/// Rows of a tile: with two vectors of columns, a row of the second factor and an entry of the
/// first, its sums are what 16 vectors hold.
const ROWS: usize = 6;

/// Returns the products of the matrices of two tensors, whose last two axes are those of a matrix,
/// transposed where its flag says so; the axes before are repeated where they have length 1.
/// `None` for one product and where matrices are large.
#[must_use]
pub fn small_products(
    a: &DispatchTensor,
    b: &DispatchTensor,
    transposed: [bool; 2],
) -> Option<DispatchTensor> {
    let (a, b) = (on_flex(a.clone())?, on_flex(b.clone())?);
    if a.layout().num_dims() < 3 || a.dtype() != b.dtype() {
        return None;
    }
    for_type!(a, products(&b, transposed))
}

fn products<E: Lanes>(
    a: &FlexTensor,
    b: &FlexTensor,
    transposed: [bool; 2],
) -> Option<DispatchTensor> {
    let a = Factor::<E>::of(a, transposed[0])?;
    let b = Factor::<E>::of(b, transposed[1])?;
    let products = Products { a, b };
    let [m, k] = products.a.size;
    let n = products.b.size[1];
    let mut shape = products.lengths()?;
    let count: usize = shape.iter().product();
    if count < 2 || m * k * n > MOST || m * k * n == 0 {
        return None;
    }
    let mut result = vec![E::default(); count * m * n];
    let pieces = if count * m * k * n < SHARED {
        1
    } else {
        rayon::current_num_threads()
    };
    let chunk = count.div_ceil(pieces);
    let work = |(piece, result): (usize, &mut [E])| {
        let first = piece * chunk;
        Arch::new().dispatch(Run {
            of: &products,
            lengths: &shape,
            first,
            result,
        });
    };
    if pieces == 1 {
        work((0, &mut result));
    } else {
        let pieces = result.par_chunks_mut(chunk * m * n);
        pieces.enumerate().for_each(work);
    }
    shape.extend([m, n]);
    Some(float(result, &shape))
}

/// The matrices of one tensor, where they stand.
struct Factor<'a, E> {
    entries: &'a [E],
    start: usize,
    /// Of the axes before a matrix: their length, and how far apart neighbours are.
    axes: Vec<[usize; 2]>,
    /// Rows and columns of a matrix.
    size: [usize; 2],
    /// How far apart the entries of a column are, and those of a row.
    steps: [usize; 2],
}

impl<'a, E: Lanes> Factor<'a, E> {
    /// Takes the tensor as it is; `None` where an axis runs backwards.
    fn of(tensor: &'a FlexTensor, transposed: bool) -> Option<Self> {
        let layout = tensor.layout();
        let steps = layout.strides().iter().map(|&step| step.try_into().ok());
        let steps: Vec<usize> = steps.collect::<Option<_>>()?;
        let mut axes: Vec<[usize; 2]> = layout
            .shape()
            .iter()
            .copied()
            .zip(steps)
            .map(<[usize; 2]>::from)
            .collect();
        let mut columns = axes.pop()?;
        let mut rows = axes.pop()?;
        if transposed {
            std::mem::swap(&mut rows, &mut columns);
        }
        Some(Self {
            entries: tensor.storage(),
            start: layout.start_offset(),
            axes,
            size: [rows[0], columns[0]],
            steps: [rows[1], columns[1]],
        })
    }

    /// Returns where the matrix stands whose number among those of these axes is `number`.
    fn place(&self, number: usize, lengths: &[usize]) -> usize {
        let mut rest = number;
        let mut place = self.start;
        for (&length, &[own, step]) in lengths.iter().zip(&self.axes).rev() {
            if own != 1 {
                place += rest % length * step;
            }
            rest /= length;
        }
        place
    }

    /// Writes the rows of a matrix after each other, `width` entries apart.
    #[inline(always)]
    fn pack(&self, place: usize, packed: &mut [E], width: usize) {
        let [rows, columns] = self.size;
        let [down, right] = self.steps;
        for (row, packed) in packed.chunks_exact_mut(width).take(rows).enumerate() {
            let entries = &self.entries[place + row * down..];
            let packed = &mut packed[..columns];
            match right {
                0 => packed.fill(entries[0]),
                1 => packed.copy_from_slice(&entries[..columns]),
                _ => {
                    for (packed, &entry) in packed.iter_mut().zip(entries.iter().step_by(right)) {
                        *packed = entry;
                    }
                }
            }
        }
    }
}

struct Products<'a, E> {
    a: Factor<'a, E>,
    b: Factor<'a, E>,
}

impl<E> Products<'_, E> {
    /// Returns the axes of the result before its matrices; `None` where they do not fit.
    fn lengths(&self) -> Option<Vec<usize>> {
        let (a, b) = (&self.a.axes, &self.b.axes);
        if a.len() != b.len() || self.a.size[1] != self.b.size[0] {
            return None;
        }
        let both = a.iter().zip(b);
        let both = both.map(|(a, b)| match [a[0], b[0]] {
            [1, length] | [length, 1] => Some(length),
            [a, b] => (a == b).then_some(a),
        });
        both.collect()
    }
}

/// Products from the number `first` on.
struct Run<'a, E> {
    of: &'a Products<'a, E>,
    lengths: &'a [usize],
    first: usize,
    result: &'a mut [E],
}

impl<E: Lanes> WithSimd for Run<'_, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Products { a, b } = self.of;
        let ([m, k], n) = (a.size, b.size[1]);
        let lanes = E::lanes::<S>();
        let width = n.div_ceil(lanes) * lanes;
        // What is behind the last row or column stays zero.
        let mut rows = vec![E::default(); m.div_ceil(ROWS) * ROWS * k];
        let mut columns = vec![E::default(); k * width];
        for (number, result) in self.result.chunks_exact_mut(m * n).enumerate() {
            let number = self.first + number;
            a.pack(a.place(number, self.lengths), &mut rows, k);
            b.pack(b.place(number, self.lengths), &mut columns, width);
            for first in (0..m).step_by(ROWS) {
                let rows = &rows[first * k..][..ROWS * k];
                let result = &mut result[first * n..];
                let mut column = 0;
                while column < n {
                    let columns = &columns[column..];
                    let result = &mut result[column..];
                    let left = n - column;
                    if left > lanes {
                        tile::<E, S, 2>(simd, rows, columns, [k, width], result, [n, left]);
                        column += 2 * lanes;
                    } else {
                        tile::<E, S, 1>(simd, rows, columns, [k, width], result, [n, left]);
                        column += lanes;
                    }
                }
            }
        }
    }
}

/// Writes a tile of the product of `ROWS` rows of `k` entries and of `k` rows, `width` entries
/// apart: the rows that `result` has room for, `n` entries apart, of `left` columns at most.
#[inline(always)]
fn tile<E: Lanes, S: Simd, const V: usize>(
    simd: S,
    rows: &[E],
    columns: &[E],
    [k, width]: [usize; 2],
    result: &mut [E],
    [n, left]: [usize; 2],
) {
    let lanes = E::lanes::<S>();
    let mut sums = [[E::splat(simd, E::default()); V]; ROWS];
    for (at, columns) in columns.chunks(width).enumerate().take(k) {
        let mut vectors = [E::splat(simd, E::default()); V];
        for (vector, entries) in vectors.iter_mut().zip(columns.chunks_exact(lanes)) {
            *vector = E::load::<S>(entries);
        }
        for (row, sums) in sums.iter_mut().enumerate() {
            let entry = E::splat(simd, rows[row * k + at]);
            for (sum, &vector) in sums.iter_mut().zip(&vectors) {
                *sum = E::mul_add(simd, entry, vector, *sum);
            }
        }
    }
    for (result, sums) in result.chunks_mut(n).zip(&sums) {
        let sums: &[E] = bytemuck::cast_slice(sums);
        let count = left.min(V * lanes);
        result[..count].copy_from_slice(&sums[..count]);
    }
}
