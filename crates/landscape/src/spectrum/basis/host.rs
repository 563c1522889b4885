//! Orthonormal bases on the host, worked on by all cores.
//!
//! The coordinates are cut into panels, each with its part of every vector. A panel is one job;
//! sums over panels are taken in their order, so that no result depends on which thread did what.

use std::sync::Mutex;

use derivatives::Workers;
use flex_kernels::vectorised;

use crate::vector::{add_scaled, dot};

/// Coordinates of a panel: enough work for a thread to be woken, and parts of 128 KiB in f64.
const PANEL: usize = 16_384;

/// Coordinates worked on at a time: 8 KiB of each basis vector, so that the blocks of a hundred
/// vectors fit the second-level cache between the two uses of a sweep.
const BLOCK: usize = 1024;

/// Numbers in a basis below which one thread has done the work before others have woken up.
const SMALL: usize = 1 << 18;

const ONE_JOB: &str = "each part belongs to one job, and no job panics";

/// A float type in which vectors are kept.
pub(in crate::spectrum) trait Stored: Copy + Send + Sync + 'static {
    /// Returns the number nearest to `x`.
    fn round(x: f64) -> Self;
    /// Returns the inner product, in f64.
    fn dot(kept: &[Self], w: &[f64]) -> f64;
    /// Computes `w += factor · kept` in f64.
    fn add(w: &mut [f64], factor: f64, kept: &[Self]);
    /// Returns the number as f64.
    fn widen(self) -> f64;
}

impl Stored for f64 {
    fn round(x: f64) -> Self {
        x
    }
    #[inline(always)]
    fn dot(kept: &[Self], w: &[f64]) -> f64 {
        dot(kept, w)
    }
    #[inline(always)]
    fn add(w: &mut [f64], factor: f64, kept: &[Self]) {
        add_scaled(w, factor, kept);
    }
    fn widen(self) -> f64 {
        self
    }
}

impl Stored for f32 {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the rounding that is wanted"
    )]
    fn round(x: f64) -> Self {
        x as Self
    }
    #[inline(always)]
    fn dot(kept: &[Self], w: &[f64]) -> f64 {
        let (blocks_a, rest_a) = kept.as_chunks::<8>();
        let (blocks_b, rest_b) = w.as_chunks::<8>();
        let mut sums = [0.0; 8];
        for (x, y) in blocks_a.iter().zip(blocks_b) {
            for lane in 0..8 {
                sums[lane] += f64::from(x[lane]) * y[lane];
            }
        }
        let rest: f64 = rest_a
            .iter()
            .zip(rest_b)
            .map(|(x, y)| f64::from(*x) * y)
            .sum();
        sums.iter().sum::<f64>() + rest
    }
    #[inline(always)]
    fn add(w: &mut [f64], factor: f64, kept: &[Self]) {
        for (w, x) in w.iter_mut().zip(kept) {
            *w += factor * f64::from(*x);
        }
    }
    fn widen(self) -> f64 {
        f64::from(self)
    }
}

/// The parts of all vectors in a panel.
type Panel<T> = Vec<Box<[T]>>;

/// Vectors of `dim` numbers.
#[derive(Debug, Clone)]
pub(in crate::spectrum) struct HostBasis<T> {
    dim: usize,
    len: usize,
    panels: Vec<Panel<T>>,
    workers: Workers,
}

impl<T: Stored> HostBasis<T> {
    pub(in crate::spectrum) fn new(dim: usize) -> Self {
        Self::on(dim, Workers::default())
    }

    fn on(dim: usize, workers: Workers) -> Self {
        Self {
            dim,
            len: 0,
            panels: vec![Panel::new(); dim.div_ceil(PANEL)],
            workers,
        }
    }

    pub(in crate::spectrum) const fn len(&self) -> usize {
        self.len
    }

    pub(in crate::spectrum) fn push(&mut self, vector: &[f64]) {
        for (panel, part) in self.panels.iter_mut().zip(vector.chunks(PANEL)) {
            panel.push(part.iter().map(|x| T::round(*x)).collect());
        }
        self.len += 1;
    }

    pub(in crate::spectrum) fn vector(&self, index: usize) -> Vec<f64> {
        let parts = self.panels.iter().map(|panel| &panel[index]);
        parts
            .flat_map(|part| part.iter().map(|x| x.widen()))
            .collect()
    }

    /// Classical Gram-Schmidt done twice. The subtraction of the first pass and the inner products
    /// of the second share one sweep over the basis, so it is read three times.
    pub(in crate::spectrum) fn orthogonalize(&self, w: &mut [f64]) -> Vec<f64> {
        let first = self.project(w, 0);
        self.finish(w, first)
    }

    /// Classical Gram-Schmidt against the last `near` vectors and then against all.
    ///
    /// In a Lanczos step all that a product has in the span of the basis is along the last few
    /// vectors, but for rounding. The pass over all is the second one then, and its subtraction the
    /// end: the basis is read twice, not three times. Where that pass finds more than rounding,
    /// there is one more.
    pub(in crate::spectrum) fn orthogonalize_near(&self, w: &mut [f64], near: usize) -> Vec<f64> {
        // What a pass leaves in the span is what it took times the basis's departure from
        // orthonormality: a thousandth of that adds nothing to it.
        const LITTLE: f64 = 1e-3;
        let from = self.len.saturating_sub(near);
        let of_near = self.project(w, from);
        let mut of_all = self.subtract_and_project(w, &of_near, from);
        let square = of_all.split_off(self.len)[0];
        let found = dot(&of_all, &of_all);
        if found <= LITTLE * LITTLE * (square - found) {
            self.subtract(w, &of_all);
        } else {
            of_all = self.finish(w, of_all);
        }
        of_near.iter().zip(&of_all).map(|(a, b)| a + b).collect()
    }

    /// Subtracts the part with these coefficients, and then what is left of it: their sum.
    fn finish(&self, w: &mut [f64], first: Vec<f64>) -> Vec<f64> {
        let second = self.subtract_and_project(w, &first, 0);
        self.subtract(w, &second[..self.len]);
        first.iter().zip(&second).map(|(a, b)| a + b).collect()
    }

    /// Returns the inner products with the vectors from number `from` on, and zeros before them.
    fn project(&self, w: &mut [f64], from: usize) -> Vec<f64> {
        let terms = self.sweep(
            w,
            #[inline(always)]
            |panel, part| {
                let mut sums = vec![0.0; self.len];
                for (at, block) in blocks(part) {
                    add_products(&panel[from..], at, block, &mut sums[from..]);
                }
                sums
            },
        );
        sum(self.len, &terms)
    }

    /// Subtracts the part with these coefficients in the vectors from number `from` on, and returns
    /// the inner products of all vectors with what is left and, after them, of it with itself, in
    /// one sweep over the basis.
    fn subtract_and_project(&self, w: &mut [f64], coefficients: &[f64], from: usize) -> Vec<f64> {
        let terms = self.sweep(
            w,
            #[inline(always)]
            |panel, part| {
                let mut sums = vec![0.0; self.len + 1];
                for (at, block) in blocks(part) {
                    subtract(&panel[from..], at, block, &coefficients[from..]);
                    add_products(panel, at, block, &mut sums);
                    sums[self.len] += dot(block, block);
                }
                sums
            },
        );
        sum(self.len + 1, &terms)
    }

    fn subtract(&self, w: &mut [f64], coefficients: &[f64]) {
        self.sweep(
            w,
            #[inline(always)]
            |panel, part| {
                for (at, block) in blocks(part) {
                    subtract(panel, at, block, coefficients);
                }
            },
        );
    }

    pub(in crate::spectrum) fn combine(&self, coefficients: &[f64]) -> Vec<f64> {
        let mut sum = vec![0.0; self.dim];
        self.sweep(
            &mut sum,
            #[inline(always)]
            |panel, part| {
                for (at, block) in blocks(part) {
                    for (vector, coefficient) in panel.iter().zip(coefficients) {
                        T::add(block, *coefficient, &vector[at..][..block.len()]);
                    }
                }
            },
        );
        sum
    }

    pub(in crate::spectrum) fn replace(&mut self, combinations: &[&[f64]]) {
        let old = combinations.first().map_or(0, |first| first.len());
        self.len = self.len - old + combinations.len();
        let is_small = self.dim * old < SMALL;
        let items: Vec<_> = self.panels.iter_mut().map(Mutex::new).collect();
        let job = |panel: &Mutex<&mut Panel<T>>| {
            let mut panel = panel.lock().expect(ONE_JOB);
            let length = panel.first().map_or(0, |part| part.len());
            let mut parts = vec![Vec::with_capacity(length); combinations.len()];
            let mut sums = [0.0; BLOCK];
            vectorised(
                #[inline(always)]
                || {
                    for at in (0..length).step_by(BLOCK) {
                        let block = &mut sums[..BLOCK.min(length - at)];
                        for (part, combination) in parts.iter_mut().zip(combinations) {
                            block.fill(0.0);
                            for (vector, coefficient) in panel.iter().zip(*combination) {
                                T::add(block, *coefficient, &vector[at..][..block.len()]);
                            }
                            part.extend(block.iter().map(|x| T::round(*x)));
                        }
                    }
                },
            );
            let parts = parts.into_iter().map(Vec::into_boxed_slice);
            panel.splice(..old, parts);
        };
        if is_small {
            items.iter().for_each(job);
        } else {
            self.workers.map(&items, job);
        }
    }

    /// Does a job on every panel with its part of `w`, and returns the results in their order.
    fn sweep<R: Send>(
        &self,
        w: &mut [f64],
        job: impl Fn(&Panel<T>, &mut [f64]) -> R + Sync,
    ) -> Vec<R> {
        let parts = w.chunks_mut(PANEL).map(Mutex::new);
        let items: Vec<_> = self.panels.iter().zip(parts).collect();
        let job = |(panel, part): &(&Panel<T>, Mutex<&mut [f64]>)| {
            let mut part = part.lock().expect(ONE_JOB);
            vectorised(
                #[inline(always)]
                || job(panel, &mut part),
            )
        };
        if self.dim * self.len < SMALL {
            items.iter().map(job).collect()
        } else {
            self.workers.map(&items, job)
        }
    }
}

/// Returns the sums of the panels' terms, `len` of them.
fn sum(len: usize, terms: &[Vec<f64>]) -> Vec<f64> {
    let mut sums = vec![0.0; len];
    for terms in terms {
        for (sum, term) in sums.iter_mut().zip(terms) {
            *sum += term;
        }
    }
    sums
}

/// Returns the blocks of a panel's part, with where each begins.
fn blocks(part: &mut [f64]) -> impl Iterator<Item = (usize, &mut [f64])> {
    (0..).step_by(BLOCK).zip(part.chunks_mut(BLOCK))
}

#[inline(always)]
fn add_products<T: Stored>(panel: &[Box<[T]>], at: usize, block: &[f64], sums: &mut [f64]) {
    for (sum, vector) in sums.iter_mut().zip(panel) {
        *sum += T::dot(&vector[at..][..block.len()], block);
    }
}

#[inline(always)]
fn subtract<T: Stored>(panel: &[Box<[T]>], at: usize, block: &mut [f64], coefficients: &[f64]) {
    for (vector, coefficient) in panel.iter().zip(coefficients) {
        T::add(block, -coefficient, &vector[at..][..block.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::normalize;
    use crate::vector::random::{normal, sphere};

    const DIM: usize = 3 * PANEL + 700;

    /// Returns an orthonormal basis of random vectors, made by `count` threads, with a vector that
    /// has been orthogonalised to it, its coefficients, and some combinations.
    fn results<T: Stored>(count: usize) -> (Vec<f64>, Vec<f64>, Vec<f64>, Vec<f64>) {
        let mut basis = HostBasis::<T>::on(DIM, Workers::new(count));
        for stream in 0..8 {
            let mut vector = sphere(1, stream, DIM);
            basis.orthogonalize(&mut vector);
            normalize(&mut vector);
            basis.push(&vector);
        }
        let mut w = normal(2, 0, DIM);
        let coefficients = basis.orthogonalize(&mut w);
        let sum = basis.combine(&[1.0, -2.0, 3.0, 0.5, 0.25, 0.0, 1.0, -1.0]);
        basis.replace(&[&[0.6, 0.8, 0.0, 0.0, 0.0], &[0.0, 0.0, 1.0, 0.0, 0.0]]);
        assert_eq!(basis.len(), 5);
        let kept = basis.combine(&[1.0, 10.0, 100.0, 1000.0, 10_000.0]);
        (w, coefficients, sum, kept)
    }

    #[test]
    fn results_do_not_depend_on_the_number_of_threads() {
        let (in_f64, in_f32) = (results::<f64>(0), results::<f32>(0));
        for count in [1, 2, 5] {
            assert_eq!(results::<f64>(count), in_f64);
            assert_eq!(results::<f32>(count), in_f32);
        }
    }

    #[test]
    fn what_is_left_is_orthogonal_and_replaced_vectors_are_the_combinations() {
        let mut basis = HostBasis::<f64>::on(DIM, Workers::new(2));
        let mut reference: Vec<Vec<f64>> = Vec::new();
        for stream in 0..6 {
            let mut w = normal(3, stream, DIM);
            basis.orthogonalize(&mut w);
            normalize(&mut w);
            basis.push(&w);
            reference.push(w);
        }
        for (i, a) in reference.iter().enumerate() {
            for (j, b) in reference.iter().enumerate() {
                let product: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                assert!((product - f64::from(i == j)).abs() < 1e-13, "{i} {j}");
            }
        }
        basis.replace(&[&[0.0, 1.0, 0.0, 0.0], &[3.0, 0.0, 0.0, -1.0]]);
        assert_eq!(basis.len(), 4);
        let expected = |i: usize| match i {
            0 => reference[1].clone(),
            1 => {
                let pairs = reference[0].iter().zip(&reference[3]);
                pairs.map(|(a, b)| 3.0 * a - b).collect()
            }
            _ => reference[i + 2].clone(),
        };
        for index in 0..4 {
            for (x, y) in basis.vector(index).iter().zip(expected(index)) {
                assert!((x - y).abs() < 1e-15);
            }
        }
    }
}
