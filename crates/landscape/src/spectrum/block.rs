//! Block Lanczos with full reorthogonalisation and thick restart.
//!
//! After some steps the basis holds V, `[P, m]`, and the next block Q, `[P, r]`, with
//!
//! ```text
//! A V = V T + Q C        T = VᵀAV, [m, m] symmetric        C = QᵀAV, [r, m]
//! ```
//!
//! A step takes Q into V. Of the products AQ, the part in the span of the basis gives the new
//! columns of T, and an orthonormal basis of what is left is the next block. Without a restart T
//! has a band of blocks, and C is zero but for its last columns.
//!
//! The products themselves are kept as well, by their coefficients in [V, Q]: T and C are what they
//! are in exact arithmetic, symmetric and banded, and the images say what the operator did in fact.
//! The product with a Ritz vector Vs is the same combination of images, so that its quotient and
//! its residual take no product of their own.
//!
//! A thick restart replaces V by n of its Ritz vectors, VS: then T is diagonal, C becomes CS, and
//! the relation above holds as before. Nothing of it is approximate, so convergence goes on from
//! where it was, and memory is bounded.

use super::basis::{Basis, BasisStorage, Vector};
use super::checks::{repeats, repeats_and_is_linear};
use super::{DenseEigen, Rayleigh, SymmetricMatrix, Tridiagonal};
use crate::error::Error;
use crate::operator::LinearOperator;
use crate::vector::norm;

/// The product with one vector of V.
#[derive(Debug, Clone)]
struct Image {
    /// Coefficients in the vectors that were there when it was made and the one made of it.
    coefficients: Vec<f64>,
    /// Norm of what these leave out.
    lost: f64,
}

/// A run of block Lanczos.
#[derive(Debug, Clone)]
pub(super) struct BlockLanczos {
    /// V, and after it the next block Q.
    basis: Basis,
    /// Vectors of the next block, r.
    next: usize,
    /// T, row by row.
    projected: Vec<Vec<f64>>,
    /// C, row by row.
    coupling: Vec<Vec<f64>>,
    /// The products with the vectors of V.
    images: Vec<Image>,
    #[cfg(test)]
    most_vectors: usize,
    /// Products made.
    steps: usize,
    /// After each step the products made and the smallest norm of a new direction.
    smallest: Vec<(usize, f64)>,
    /// Random vectors drawn after the start.
    fresh: usize,
    seed: u64,
    restarted: bool,
    defect: f64,
    scale: f64,
    /// The first vector and its product, until they have been checked.
    unchecked: Option<(Vec<f64>, Vec<f64>)>,
}

impl BlockLanczos {
    /// Returns a run of no steps from a block of start vectors; what depends linearly on those
    /// before it is replaced by random vectors.
    pub(super) fn new<A: LinearOperator + ?Sized>(
        op: &A,
        storage: BasisStorage,
        starts: Vec<Vec<f64>>,
        seed: u64,
    ) -> Result<Self, Error> {
        let mut run = Self {
            basis: Basis::new(storage, op.domain()),
            next: 0,
            #[cfg(test)]
            most_vectors: 0,
            projected: Vec::new(),
            coupling: Vec::new(),
            images: Vec::new(),
            steps: 0,
            smallest: Vec::new(),
            fresh: 0,
            seed,
            restarted: false,
            defect: 0.0,
            scale: 0.0,
            unchecked: None,
        };
        for start in starts {
            if run.basis.is_complete() {
                break;
            }
            let mut start = run.basis.adopt(start)?;
            // The first is stored as it is.
            if run.basis.len() > 0 {
                run.basis.orthogonalize(&mut start);
            }
            run.push_or_draw(op, start, 1.0)?;
        }
        run.next = run.basis.len();
        run.coupling = vec![Vec::new(); run.next];
        Ok(run)
    }

    /// Returns the products made.
    pub(super) const fn steps(&self) -> usize {
        self.steps
    }

    /// Returns how many products the next step takes; none when the basis spans everything.
    pub(super) const fn next(&self) -> usize {
        self.next
    }

    /// Returns the vectors kept.
    pub(super) const fn vectors(&self) -> usize {
        self.basis.len()
    }

    /// Returns the most vectors that have been kept at a time.
    #[cfg(test)]
    pub(super) const fn most_vectors(&self) -> usize {
        self.most_vectors
    }

    /// Returns the largest departure of VᵀAV from what is known of it, relative to A's norm as far
    /// as it has been seen.
    pub(super) fn asymmetry(&self) -> f64 {
        if self.scale > 0.0 {
            self.defect / self.scale
        } else {
            0.0
        }
    }

    /// Returns the products made when the space was first invariant, up to new directions of norm
    /// `level`.
    pub(super) fn invariant_after(&self, level: f64) -> Option<usize> {
        let mut steps = self.smallest.iter();
        steps
            .find(|(_, smallest)| *smallest <= level)
            .map(|(steps, _)| *steps)
    }

    /// Does a step; the first two products are followed by one more, to see that products do not
    /// change and are linear.
    ///
    /// # Errors
    /// [`Error::NonFiniteVector`], [`Error::ChangingProducts`], [`Error::NotLinear`], and the
    /// operator's own.
    pub(super) fn step<A: LinearOperator + ?Sized>(&mut self, op: &A) -> Result<(), Error> {
        let m = self.basis.len() - self.next;
        let images = self.basis.images(op, m..self.basis.len())?;
        if self.steps == 0 || self.unchecked.is_some() {
            self.check_first_two(op, m, &images)?;
        }
        self.take_in(op, m, images)
    }

    /// Checks the first two products of the run, which come in one step or in two.
    fn check_first_two<A: LinearOperator + ?Sized>(
        &mut self,
        op: &A,
        m: usize,
        images: &[Vector],
    ) -> Result<(), Error> {
        for (index, image) in (m..).zip(images) {
            let vector = self.basis.vector(index).into_host();
            let image = image.clone().into_host();
            match self.unchecked.take() {
                None => self.unchecked = Some((vector, image)),
                Some((first, of_first)) => {
                    return repeats_and_is_linear(op, (&first, &of_first), (&vector, &image));
                }
            }
        }
        Ok(())
    }

    /// Checks that products do not change, where the run ended before there were two to compare.
    ///
    /// # Errors
    /// [`Error::ChangingProducts`], and the operator's own.
    pub(super) fn check_single<A: LinearOperator + ?Sized>(&mut self, op: &A) -> Result<(), Error> {
        match self.unchecked.take() {
            Some((vector, image)) => repeats(op, &vector, &image),
            None => Ok(()),
        }
    }

    /// Takes in the products with the next block, which begins at vector m.
    fn take_in<A: LinearOperator + ?Sized>(
        &mut self,
        op: &A,
        m: usize,
        images: Vec<Vector>,
    ) -> Result<(), Error> {
        let r = images.len();
        let coupling = std::mem::take(&mut self.coupling);
        let mut diagonal = vec![vec![0.0; r]; r];
        // Of each new direction, its products with the images.
        let mut rows: Vec<Vec<f64>> = Vec::new();
        let mut smallest = f64::INFINITY;
        for (column, mut image) in images.into_iter().enumerate() {
            // The block before, this one, and what has been made of its first products.
            let coefficients = self.basis.orthogonalize_near(&mut image, 2 * r + column);
            let left = self.basis.norm(&image);
            let seen = norm(&coefficients).hypot(left);
            self.scale = self.scale.max(seen);
            for (found, known) in coefficients.iter().zip(&coupling[column]) {
                self.defect = self.defect.max((found - known).abs());
            }
            for (row, entry) in diagonal.iter_mut().zip(&coefficients[m..]) {
                row[column] = *entry;
            }
            for (row, entry) in rows.iter_mut().zip(&coefficients[m + r..]) {
                row[column] = *entry;
            }
            smallest = smallest.min(left);
            let mut made = Image {
                coefficients,
                lost: left,
            };
            if !self.basis.is_complete() {
                let mut row = vec![0.0; r];
                if self.push_or_draw(op, image, self.scale)? {
                    row[column] = left;
                    made.coefficients.push(left);
                    made.lost = 0.0;
                }
                rows.push(row);
            }
            self.images.push(made);
        }
        for (a, b) in (0..r).flat_map(|a| (0..a).map(move |b| (a, b))) {
            let difference = (diagonal[a][b] - diagonal[b][a]).abs();
            self.defect = self.defect.max(difference);
            let mean = 0.5 * (diagonal[a][b] + diagonal[b][a]);
            (diagonal[a][b], diagonal[b][a]) = (mean, mean);
        }
        for (i, row) in self.projected.iter_mut().enumerate() {
            row.extend(coupling.iter().map(|known| known[i]));
        }
        let new = coupling.into_iter().zip(diagonal);
        self.projected
            .extend(new.map(|(known, diagonal)| [known, diagonal].concat()));
        self.next = rows.len();
        let old = vec![0.0; m];
        let rows = rows.into_iter();
        self.coupling = rows.map(|row| [&old[..], &row].concat()).collect();
        self.steps += r;
        #[cfg(test)]
        {
            self.most_vectors = self.most_vectors.max(self.basis.len());
        }
        self.smallest.push((self.steps, smallest));
        Ok(())
    }

    /// Adds the direction of `rest`, which is orthogonal to the basis, and returns true; or a
    /// random one, and returns false, if it is at the level of rounding of numbers of size
    /// `scale`.
    fn push_or_draw<A: LinearOperator + ?Sized>(
        &mut self,
        op: &A,
        rest: Vector,
        scale: f64,
    ) -> Result<bool, Error> {
        let length = self.basis.norm(&rest);
        let unit_roundoff = op.domain().unit_roundoff().max(self.basis.unit_roundoff());
        // A product is known to about its unit roundoff times the operator's norm. What is left at
        // that level is rounding: its direction means nothing, and the zero put into C in its
        // place is within the operator's own error. Ten leaves room for the sums in the product.
        if length > 10.0 * unit_roundoff * scale {
            self.basis.push_scaled(rest, length)?;
            return Ok(true);
        }
        self.fresh += 1;
        self.basis.push_fresh(self.seed, self.fresh)?;
        Ok(false)
    }

    /// Returns the eigenvalues of T, ascending, with its eigenvectors.
    ///
    /// # Errors
    /// [`Error::Decomposition`].
    pub(super) fn eigen(&self) -> Result<DenseEigen, Error> {
        let m = self.projected.len();
        let is_tridiagonal = !self.restarted && self.smallest.len() == m;
        if is_tridiagonal {
            let t = Tridiagonal {
                alpha: (0..m).map(|i| self.projected[i][i]).collect(),
                beta: (1..m).map(|i| self.projected[i][i - 1]).collect(),
            };
            let eigen = t.eigen()?;
            return Ok(DenseEigen {
                vectors: eigen.vectors.chunks(m).map(<[f64]>::to_vec).collect(),
                values: eigen.values,
            });
        }
        SymmetricMatrix::from_rows(self.projected.concat(), m)?.eigen()
    }

    /// Returns the norm `‖C s‖` of the residual of the Ritz vector with coefficients s.
    pub(super) fn bound(&self, coefficients: &[f64]) -> f64 {
        let rows = self.coupling.iter();
        let residual: Vec<f64> = rows
            .map(|row| row.iter().zip(coefficients).map(|(c, s)| c * s).sum())
            .collect();
        norm(&residual)
    }

    /// Returns the quotient and the true residual of the Ritz vector with coefficients s, from the
    /// products already made: `A(Vs) = (AV)s`.
    pub(super) fn measured(&self, coefficients: &[f64]) -> Rayleigh {
        let Image {
            coefficients: mut image,
            lost,
        } = self.image_of(coefficients);
        let (inside, outside) = image.split_at_mut(coefficients.len());
        let square: f64 = coefficients.iter().map(|s| s * s).sum();
        let terms = inside.iter().zip(coefficients);
        let quotient = terms.map(|(y, s)| y * s).sum::<f64>() / square;
        for (y, s) in inside.iter_mut().zip(coefficients) {
            *y -= quotient * s;
        }
        Rayleigh {
            quotient,
            residual: (norm(inside).hypot(norm(outside)) + lost) / square.sqrt(),
        }
    }

    /// Returns the product with Vs.
    fn image_of(&self, coefficients: &[f64]) -> Image {
        let mut sum = Image {
            coefficients: vec![0.0; self.basis.len()],
            lost: 0.0,
        };
        for (image, s) in self.images.iter().zip(coefficients) {
            for (total, y) in sum.coefficients.iter_mut().zip(&image.coefficients) {
                *total += s * y;
            }
            sum.lost += s.abs() * image.lost;
        }
        sum
    }

    /// Replaces V by the Ritz vectors with the given numbers in `eigen`, the eigenvectors of T.
    pub(super) fn restart(&mut self, eigen: &DenseEigen, chosen: &[usize]) {
        let combinations: Vec<&[f64]> = chosen.iter().map(|&i| &eigen.vectors[i][..]).collect();
        for row in &mut self.coupling {
            let products = combinations.iter().map(|s| {
                let terms = row.iter().zip(*s);
                terms.map(|(c, s)| c * s).sum::<f64>()
            });
            *row = products.collect();
        }
        let images = combinations.iter().map(|s| {
            let image = self.image_of(s);
            let (inside, outside) = image.coefficients.split_at(s.len());
            let product = |t: &&[f64]| t.iter().zip(inside).map(|(t, y)| t * y).sum::<f64>();
            let mut coefficients: Vec<f64> = combinations.iter().map(product).collect();
            // Its part in what is thrown away is that of the operator's rounding.
            let mut rest = inside.to_vec();
            for (t, c) in combinations.iter().zip(&coefficients) {
                for (rest, t) in rest.iter_mut().zip(*t) {
                    *rest -= c * t;
                }
            }
            coefficients.extend(outside);
            Image {
                coefficients,
                lost: image.lost + norm(&rest) + self.basis.unit_roundoff() * self.scale,
            }
        });
        self.images = images.collect();
        self.basis.replace(&combinations);
        self.projected = vec![vec![0.0; chosen.len()]; chosen.len()];
        for (i, &index) in chosen.iter().enumerate() {
            self.projected[i][i] = eigen.values[index];
        }
        self.restarted = true;
    }

    /// Returns the vector with the given coefficients in V.
    pub(super) fn combine(&self, coefficients: &[f64]) -> Vec<f64> {
        self.basis.combine(coefficients)
    }
}
