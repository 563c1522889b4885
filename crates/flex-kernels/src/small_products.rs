//! Many products of small matrices, as attention has for each head and example, for `flex`, whose
//! own calls cost several times the arithmetic of such a product.

use burn_dispatch::DispatchTensor;
use burn_flex::FlexTensor;
use pulp::{Arch, Simd, WithSimd, bytemuck};
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use crate::lanes::{Lanes, copy};
use crate::real::{float, for_type, on_flex};

/// Multiplications of the largest product for which this is faster than Burn's.
const MOST: usize = 32 * 32 * 32;
/// Fewest multiplications of all products that are shared among the cores.
const SHARED: usize = 1 << 18;
/// Rows of a tile: with two vectors of columns the sums of six rows would still fit 16 vectors, but
/// the compiler puts some of them elsewhere.
const ROWS: usize = 4;

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
    /// Lengths of the axes before a matrix, each with how far apart neighbours are.
    axes: Vec<[usize; 2]>,
    /// Rows and columns of a matrix.
    size: [usize; 2],
    /// Distances between the entries of a column, and between those of a row.
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

    /// Returns the entries of a matrix in rows of at least `width` entries, and how far apart the
    /// rows are: where they stand, or written to `packed`, if they stand otherwise or are shorter.
    #[inline(always)]
    fn in_rows<'p>(&'p self, place: usize, width: usize, packed: &'p mut [E]) -> (&'p [E], usize) {
        let [rows, columns] = self.size;
        let [down, right] = self.steps;
        let entries = &self.entries[place..];
        if right == 1 && columns == width {
            return (entries, down);
        }
        if down == 1 {
            for column in 0..columns {
                let entries = &entries[column * right..][..rows];
                for (packed, &entry) in packed.chunks_exact_mut(width).zip(entries) {
                    packed[column] = entry;
                }
            }
        } else {
            for (row, packed) in packed.chunks_exact_mut(width).take(rows).enumerate() {
                for (column, packed) in packed[..columns].iter_mut().enumerate() {
                    *packed = entries[row * down + column * right];
                }
            }
        }
        (packed, width)
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
        let mut packed_a = vec![E::default(); m * k];
        // What is behind the last column stays zero.
        let mut packed_b = vec![E::default(); k * width];
        for (number, result) in self.result.chunks_exact_mut(m * n).enumerate() {
            let number = self.first + number;
            let (rows, down) = a.in_rows(a.place(number, self.lengths), k, &mut packed_a);
            let b = b.in_rows(b.place(number, self.lengths), width, &mut packed_b);
            for first in (0..m).step_by(ROWS) {
                // The last row again, in the place of those that there are not.
                let row = |row: usize| &rows[(first + row).min(m - 1) * down..][..k];
                let tile = Tile {
                    rows: std::array::from_fn(row),
                    b,
                };
                let result = &mut result[first * n..];
                for at in (0..n).step_by(2 * lanes) {
                    let result = result[at..].chunks_mut(n);
                    if n - at > lanes {
                        tile.write::<S, 2>(simd, at, result, n - at);
                    } else {
                        tile.write::<S, 1>(simd, at, result, n - at);
                    }
                }
            }
        }
    }
}

/// A few rows of the first factor; the second, and how far apart its rows are.
struct Tile<'a, E> {
    rows: [&'a [E]; ROWS],
    b: (&'a [E], usize),
}

impl<E: Lanes> Tile<'_, E> {
    /// Writes the product in V vectors of columns from `at` on: of each row at most `left` entries.
    #[inline(always)]
    fn write<'r, S: Simd, const V: usize>(
        &self,
        simd: S,
        at: usize,
        result: impl Iterator<Item = &'r mut [E]>,
        left: usize,
    ) where
        E: 'r,
    {
        let lanes = E::lanes::<S>();
        let (b, down) = self.b;
        let mut sums = [[E::splat(simd, E::default()); V]; ROWS];
        for k in 0..self.rows[0].len() {
            let b = &b[k * down + at..][..V * lanes];
            let vectors: [_; V] = std::array::from_fn(|vector| E::load::<S>(&b[vector * lanes..]));
            for (row, sums) in self.rows.iter().zip(&mut sums) {
                let entry = E::splat(simd, row[k]);
                for (sum, &vector) in sums.iter_mut().zip(&vectors) {
                    *sum = E::mul_add(simd, entry, vector, *sum);
                }
            }
        }
        for (result, sums) in result.zip(&sums) {
            if left >= V * lanes {
                let result: &mut [E::Vector<S>] =
                    bytemuck::cast_slice_mut(&mut result[..V * lanes]);
                result.copy_from_slice(sums);
            } else {
                let sums: &[E] = bytemuck::cast_slice(sums);
                copy::<E, S>(&sums[..left], &mut result[..left]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::real::{Real, contiguous, of_flex};

    fn flex(x: &DispatchTensor) -> FlexTensor {
        on_flex(x.clone()).expect("of flex")
    }

    fn shape(x: &DispatchTensor) -> Vec<usize> {
        flex(x).layout().shape().to_vec()
    }

    /// A tensor of numbers in (−1, 1), of two axes of matrices; with `moved` its axes are stored in
    /// the order in which attention has them: rows before the second axis.
    fn tensor<E: Real>(shape: [usize; 4], moved: bool, seed: usize) -> DispatchTensor {
        // Fractions of multiples of the golden ratio.
        let number = |i: usize| ((i + 97 * seed) as f64 * 0.618_033_988_749_894_9).fract();
        let count = shape.iter().product();
        let entries: Vec<E> = (0..count).map(|i| E::of(2.0 * number(i) - 1.0)).collect();
        let [a, b, rows, columns] = shape;
        if moved {
            of_flex(flex(&float(entries, &[a, rows, b, columns])).permute(&[0, 2, 1, 3]))
        } else {
            float(entries, &shape)
        }
    }

    fn entries<E: Real>(x: &DispatchTensor) -> Vec<f64> {
        let x = contiguous(x).expect("of flex");
        let entries = E::entries(&x).expect("its type");
        entries.iter().map(|&entry| entry.into()).collect()
    }

    /// Returns the entries of a product one by one.
    fn expected<E: Real>(a: &DispatchTensor, b: &DispatchTensor) -> Vec<f64> {
        let (shape_a, shape_b) = (shape(a), shape(b));
        let (m, k, n) = (shape_a[2], shape_a[3], shape_b[3]);
        let (of_a, of_b) = (entries::<E>(a), entries::<E>(b));
        let matrix = |shape: &[usize], at: [usize; 2]| {
            let at = [0, 1].map(|axis| at[axis].min(shape[axis] - 1));
            at[0] * shape[1] + at[1]
        };
        let mut values = Vec::new();
        for i in 0..shape_a[0].max(shape_b[0]) {
            for j in 0..shape_a[1].max(shape_b[1]) {
                let a = &of_a[matrix(&shape_a, [i, j]) * m * k..];
                let b = &of_b[matrix(&shape_b, [i, j]) * k * n..];
                for place in 0..m * n {
                    let (row, column) = (place / n, place % n);
                    let terms = (0..k).map(|at| a[row * k + at] * b[at * n + column]);
                    values.push(terms.sum());
                }
            }
        }
        values
    }

    fn check<E: Real>(unit: f64) {
        let sizes = [1, 2, 5, 8, 16, 17, 31];
        let mut seed = 0;
        for (at, &m) in sizes.iter().enumerate() {
            let (k, n) = (sizes[(at + 3) % 7], sizes[(at * 2 + 1) % 7]);
            for [before_a, before_b] in [[[2, 3], [2, 3]], [[1, 3], [2, 1]], [[2, 1], [1, 3]]] {
                for moved in [false, true] {
                    seed += 1;
                    let a = tensor::<E>([before_a[0], before_a[1], m, k], moved, seed);
                    let b = tensor::<E>([before_b[0], before_b[1], k, n], !moved, seed + 5);
                    let expected = expected::<E>(&a, &b);
                    for transposed in [[false, false], [true, false], [false, true], [true, true]] {
                        let turned = |x: &DispatchTensor, turn: bool| {
                            if turn {
                                of_flex(flex(x).transpose(2, 3))
                            } else {
                                x.clone()
                            }
                        };
                        let (a, b) = (turned(&a, transposed[0]), turned(&b, transposed[1]));
                        let product = small_products(&a, &b, transposed).expect("small ones");
                        assert_eq!(shape(&product), [2, 3, m, n]);
                        let found = entries::<E>(&product);
                        for (found, expected) in found.iter().zip(&expected) {
                            let gap = (found - expected).abs();
                            assert!(gap <= 32.0 * unit, "{m} {k} {n} {found} {expected}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn products_of_any_size_and_layout_are_the_sums() {
        check::<f32>(1.2e-7);
        check::<f64>(2.3e-16);
    }

    #[test]
    fn cores_share_many_products() {
        let a = tensor::<f32>([17, 9, 16, 16], true, 1);
        let b = tensor::<f32>([17, 9, 16, 16], false, 2);
        let product = small_products(&a, &b, [false, false]).expect("small ones");
        let found = entries::<f32>(&product);
        for (found, expected) in found.iter().zip(expected::<f32>(&a, &b)) {
            assert!((found - expected).abs() < 1e-5);
        }
    }

    #[test]
    fn other_products_are_burns() {
        let none = |a: [usize; 4], b: [usize; 4]| {
            let (a, b) = (tensor::<f32>(a, false, 1), tensor::<f32>(b, false, 2));
            assert!(small_products(&a, &b, [false, false]).is_none());
        };
        none([1, 1, 4, 4], [1, 1, 4, 4]);
        none([2, 1, 64, 64], [2, 1, 64, 64]);
        none([2, 1, 4, 0], [2, 1, 0, 4]);
        none([2, 1, 4, 3], [2, 1, 4, 3]);
        let matrix = float(vec![1.0_f32; 4], &[2, 2]);
        assert!(small_products(&matrix, &matrix, [false, false]).is_none());
    }
}
