//! Orthonormal bases on a device, worked on by its matrix products.

use burn::tensor::{Tensor, TensorData};

use crate::vector::download;

/// Vectors of a panel. Adding a vector copies one panel, and a sweep is one matrix product for each
/// panel.
const ROWS: usize = 16;

/// Terms of a sum that the device makes in its own float type; sums of these are made in f64.
const TERMS: usize = 4096;

/// Vectors of `dim` numbers, as rows of panels.
#[derive(Debug, Clone)]
pub(super) struct DeviceBasis {
    dim: usize,
    len: usize,
    panels: Vec<Tensor<2>>,
}

impl DeviceBasis {
    pub(super) const fn new(dim: usize) -> Self {
        Self {
            dim,
            len: 0,
            panels: Vec::new(),
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, vector: Tensor<1>) {
        self.push_rows(vector.reshape([1, self.dim]));
    }

    fn push_rows(&mut self, rows: Tensor<2>) {
        self.len += rows.dims()[0];
        let fits = |panel: &Tensor<2>| panel.dims()[0] + rows.dims()[0] <= ROWS;
        match self.panels.pop() {
            Some(last) if fits(&last) => self.panels.push(Tensor::cat(vec![last, rows], 0)),
            Some(last) => self.panels.extend([last, rows]),
            None => self.panels.push(rows),
        }
    }

    pub(super) fn vector(&self, index: usize) -> Tensor<1> {
        let (panel, row) = self.place(index);
        let panel = self.panels[panel].clone();
        panel.slice([row..row + 1, 0..self.dim]).reshape([self.dim])
    }

    /// Returns the panel of a vector, and its row there.
    fn place(&self, index: usize) -> (usize, usize) {
        let mut first = 0;
        for (number, panel) in self.panels.iter().enumerate() {
            let rows = panel.dims()[0];
            if index < first + rows {
                return (number, index - first);
            }
            first += rows;
        }
        unreachable!("a vector is in one of the panels")
    }

    /// Classical Gram-Schmidt done twice. What the device's sums round away of a coefficient in the
    /// first pass, the second finds in the rest. The coefficients of both come to the host in one
    /// read.
    pub(super) fn orthogonalize(&self, w: &mut Tensor<1>) -> Vec<f64> {
        if self.len == 0 {
            return Vec::new();
        }
        let mut coefficients = Vec::with_capacity(2 * self.panels.len());
        for _ in 0..2 {
            // The inner products of a pass are all with the same vector, before any subtraction.
            let column = w.clone().reshape([self.dim, 1]);
            let products = self.panels.iter();
            let products: Vec<_> = products
                .map(|panel| panel.clone().matmul(column.clone()))
                .collect();
            let mut rest = w.clone().reshape([1, self.dim]);
            for (panel, products) in self.panels.iter().zip(products) {
                let row = products.clone().reshape([1, -1]);
                rest = rest - row.matmul(panel.clone());
                coefficients.push(products.reshape([-1]));
            }
            *w = rest.reshape([self.dim]);
        }
        let coefficients = download(&Tensor::cat(coefficients, 0));
        let (first, second) = coefficients.split_at(self.len);
        first.iter().zip(second).map(|(a, b)| a + b).collect()
    }

    pub(super) fn combine(&self, coefficients: &[f64]) -> Tensor<1> {
        let old = coefficients.len();
        self.combinations(&[coefficients], old).reshape([self.dim])
    }

    /// Needs room for the combinations beside the vectors that they replace.
    pub(super) fn replace(&mut self, combinations: &[&[f64]]) {
        let old = combinations.first().map_or(0, |first| first.len());
        let kept = self.combinations(combinations, old);
        let after: Vec<_> = (old..self.len).map(|index| self.vector(index)).collect();
        self.panels.clear();
        self.len = 0;
        for first in (0..combinations.len()).step_by(ROWS) {
            let end = combinations.len().min(first + ROWS);
            self.push_rows(kept.clone().slice([first..end, 0..self.dim]));
        }
        for vector in after {
            self.push(vector);
        }
    }

    /// Returns combinations of the first `old` vectors, as rows.
    fn combinations(&self, combinations: &[&[f64]], old: usize) -> Tensor<2> {
        let any = &self.panels[0];
        let mut sum = Tensor::zeros([combinations.len(), self.dim], (&any.device(), any.dtype()));
        let mut first = 0;
        for panel in &self.panels {
            let rows = panel.dims()[0].min(old - first);
            if rows == 0 {
                break;
            }
            let coefficients: Vec<f64> = combinations
                .iter()
                .flat_map(|combination| &combination[first..first + rows])
                .copied()
                .collect();
            let data = TensorData::new(coefficients, [combinations.len(), rows])
                .convert_dtype(any.dtype());
            let coefficients = Tensor::<2>::from_data(data, (&any.device(), any.dtype()));
            let panel = panel.clone().slice([0..rows, 0..self.dim]);
            sum = sum + coefficients.matmul(panel);
            first += rows;
        }
        sum
    }
}

/// Returns whether all entries are finite: the sum of their magnitudes is, unless it overflows.
pub(super) fn is_finite(vector: &Tensor<1>) -> bool {
    // A term of 1 / P for each, so that the sum cannot overflow either.
    let share = 1.0 / vector.dims()[0].max(1) as f64;
    let sums = download(&sums(vector.clone().abs() * share));
    sums.iter().sum::<f64>().is_finite()
}

/// Returns the Euclidean norm, without overflow or underflow of the squares, by one read.
pub(super) fn norm(vector: &Tensor<1>) -> f64 {
    let largest = vector.clone().abs().max();
    let is_zero = largest.clone().equal_elem(0.0);
    let scaled = vector.clone() / largest.clone().mask_fill(is_zero, 1.0);
    let squares = sums(scaled.clone() * scaled);
    let read = download(&Tensor::cat(vec![largest, squares], 0));
    let (largest, squares) = read.split_first().expect("the largest entry was read");
    if *largest == 0.0 || !largest.is_finite() {
        return *largest;
    }
    largest * squares.iter().sum::<f64>().sqrt()
}

/// Returns the sums of parts of the entries, which are to be added in f64 on the host: a sum of ten
/// million terms in f32 would lose three of its seven digits.
fn sums(vector: Tensor<1>) -> Tensor<1> {
    let dim = vector.dims()[0];
    let whole = dim / TERMS * TERMS;
    let mut sums = Vec::with_capacity(2);
    if whole > 0 {
        let rows = vector.clone().slice(0..whole);
        let rows = rows.reshape([whole / TERMS, TERMS]);
        sums.push(rows.sum_dim(1).reshape([-1]));
    }
    if whole < dim || dim == 0 {
        sums.push(vector.slice(whole..dim).sum());
    }
    Tensor::cat(sums, 0)
}
