//! Lanczos tridiagonalisation with full reorthogonalisation.

use burn::config::Config;
use burn::tensor::Tensor;

use super::basis::{Basis, BasisStorage, Vector};
use super::checks::{repeats, repeats_and_is_linear};
use super::product::unit_start;
use super::{Tridiagonal, Which};
use crate::error::Error;
use crate::operator::LinearOperator;
use crate::vector::largest_magnitude;
use crate::vector::random::{Purpose, sphere};

/// Settings of [`top_eigenpairs`](super::top_eigenpairs) and [`extremes`](super::extremes).
#[derive(Config, Debug, PartialEq)]
pub struct LanczosConfig {
    /// Seed of the start vector, uniform on the unit sphere, and of restarts.
    #[config(default = 0)]
    pub seed: u64,
    /// End of the spectrum that is wanted.
    #[config(default = "Which::LargestAlgebraic")]
    pub which: Which,
    /// A pair is converged when `‖Av − θv‖ ≤ tolerance · max |θ|`, the maximum over the run. The
    /// error of an isolated eigenvalue is of the order of the residual's square, so 1e-5 gives ten
    /// digits where products are exact in f64, and can be reached in f32.
    #[config(default = 1e-5)]
    pub tolerance: f64,
    /// Most steps, each one product and, without `max_vectors`, one basis vector of P numbers.
    #[config(default = 100)]
    pub max_steps: usize,
    /// Vectors multiplied at once. A block finds as many copies of a repeated eigenvalue as it is
    /// wide, and suits operators whose products together cost less than one by one; for the same
    /// number of products a block of one gets further.
    #[config(default = 1)]
    pub block_size: usize,
    /// Most basis vectors kept, whatever the number of steps; at least the number of pairs and
    /// twice `block_size`. When they are there, the run is restarted with the best half of its
    /// Ritz vectors (thick restart). `None` keeps all. With fewer vectors more products are
    /// needed: several times the number of pairs, and 20 or more, is a good choice.
    pub max_vectors: Option<usize>,
    /// Place and float type of the basis.
    #[config(default = "BasisStorage::Automatic")]
    pub basis: BasisStorage,
}

/// A Lanczos run: after m steps an orthonormal basis Q of a Krylov space, `[P, m]`, and the
/// tridiagonal `T = QᵀAQ`.
///
/// ```text
/// A Qₘ = Qₘ Tₘ + βₘ qₘ₊₁ eₘᵀ
/// ```
///
/// Every new vector is orthogonalised twice against all before it, so Q stays orthonormal to the
/// rounding of the numbers kept; m steps take m products, `O(m² P)` operations on all cores, and
/// the memory of m + 1 vectors of P numbers, where [`BasisStorage`] says. One run gives both ends
/// of the spectrum ([`extremes`](super::extremes)) and the [`Quadrature`] of its start vector.
///
/// When the space is invariant (`βₘ` at rounding level), the run goes on with a random vector
/// orthogonal to it and a zero in T, so that further steps find further eigenvectors, other copies
/// of repeated eigenvalues included. A run that never breaks down finds one copy of each.
///
/// # Examples
/// ```
/// use burn::tensor::{DType, Device};
/// use landscape::operator::Dense;
/// use landscape::spectrum::Lanczos;
///
/// let op = Dense::new(&[2.0, 1.0, 1.0, 2.0], (&Device::flex(), DType::F64))?;
/// let mut run = Lanczos::new(&op, 7)?;
/// run.extend(&op, 2)?;
/// let ritz = run.ritz_values(1e-10)?;
/// assert!((ritz[0].value - 1.0).abs() < 1e-14 && (ritz[1].value - 3.0).abs() < 1e-14);
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// # References
/// Lanczos (1950); Parlett (1998), *The Symmetric Eigenvalue Problem*, chapter 13.
#[derive(Debug, Clone)]
pub struct Lanczos {
    /// T, of dimension m.
    pub tridiagonal: Tridiagonal,
    /// `βₘ`: norm of what the last product has outside the basis.
    pub last_beta: f64,
    /// Numbers of steps after which the space was invariant and a random vector was taken.
    pub restarts: Vec<usize>,
    /// Largest departure of `QᵀAQ` from the symmetric tridiagonal form, relative to the scale of
    /// T: rounding level of the operator's float type if its products are symmetric, and about the
    /// operator's relative asymmetry or error otherwise.
    pub asymmetry: f64,
    /// The basis, and after it the next vector, if there is one.
    basis: Basis,
    /// The next vector's entry beside the diagonal of T; `None` when the basis spans everything.
    next: Option<f64>,
    defect: f64,
    scale: f64,
    seed: u64,
    relative_error: f64,
}

/// An eigenvalue of T.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RitzValue {
    /// The eigenvalue `θᵢ` of T.
    pub value: f64,
    /// `|βₘ sₘᵢ|` with `sᵢ` the unit eigenvector of T: the norm of the residual `Ay − θy` in exact
    /// arithmetic, so some eigenvalue of A lies within it. It does not
    /// see the operator's own rounding.
    pub bound: f64,
    /// `s₁ᵢ²`: squared component of the start vector; the weight of Gauss quadrature.
    pub weight: f64,
    /// Whether `bound` is at most the tolerance times the largest `|θ|`.
    pub converged: bool,
}

/// Gauss quadrature of the spectral measure of a unit vector v: `Σᵢ wᵢ f(θᵢ)` for `vᵀ f(A) v`,
/// exact for polynomials of degree up to `2m − 1` after m Lanczos steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Quadrature {
    /// Ritz values, ascending.
    pub nodes: Vec<f64>,
    /// Squared first components of the eigenvectors of T; their sum is one.
    pub weights: Vec<f64>,
    /// Relative error of the operator's products: nodes that differ by less, beside the largest,
    /// are not told apart.
    pub relative_error: f64,
}

impl Quadrature {
    /// Returns the moment `Σᵢ wᵢ θᵢᵏ`, which stands for `vᵀ Aᵏ v`.
    #[must_use]
    pub fn moment(&self, k: i32) -> f64 {
        self.nodes
            .iter()
            .zip(&self.weights)
            .map(|(node, weight)| weight * node.powi(k))
            .sum()
    }
}

impl Lanczos {
    /// Returns a run of no steps from a start vector uniform on the unit sphere.
    ///
    /// # Errors
    /// [`Error::Setting`] for an operator without coordinates.
    pub fn new<A: LinearOperator + ?Sized>(op: &A, seed: u64) -> Result<Self, Error> {
        Self::stored(op, seed, BasisStorage::Automatic)
    }

    /// Returns the same as [`new`](Self::new), with the basis kept where `storage` says.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn stored<A: LinearOperator + ?Sized>(
        op: &A,
        seed: u64,
        storage: BasisStorage,
    ) -> Result<Self, Error> {
        Self::numbered(op, seed, 0, storage)
    }

    /// Returns a run of no steps from `start`, `[P]`, of any non-zero length. Restarts draw from
    /// `seed`.
    ///
    /// # Errors
    /// A wrong length, and a start that is zero or not finite.
    pub fn from_start<A: LinearOperator + ?Sized>(
        op: &A,
        start: &Tensor<1>,
        seed: u64,
    ) -> Result<Self, Error> {
        let storage = BasisStorage::Automatic;
        Self::from_unit(op, unit_start(op, start)?, seed, storage)
    }

    /// Returns the run number `index` of a seed.
    pub(super) fn numbered<A: LinearOperator + ?Sized>(
        op: &A,
        seed: u64,
        index: u64,
        storage: BasisStorage,
    ) -> Result<Self, Error> {
        Self::from_unit(op, random_start(op, seed, index)?, seed, storage)
    }

    fn from_unit<A: LinearOperator + ?Sized>(
        op: &A,
        start: Vec<f64>,
        seed: u64,
        storage: BasisStorage,
    ) -> Result<Self, Error> {
        let mut basis = Basis::new(storage, op.domain());
        basis.push(&Vector::Host(start))?;
        Ok(Self {
            tridiagonal: Tridiagonal::default(),
            last_beta: 0.0,
            restarts: Vec::new(),
            asymmetry: 0.0,
            basis,
            next: Some(0.0),
            defect: 0.0,
            scale: 0.0,
            seed,
            relative_error: 0.0,
        })
    }

    /// Returns the steps done, m.
    #[must_use]
    pub const fn steps(&self) -> usize {
        self.tridiagonal.alpha.len()
    }

    /// Does `steps` more steps, fewer when the basis spans everything. After an error the run is
    /// as it was after its last whole step.
    ///
    /// # Errors
    /// [`Error::Length`] for an operator of another dimension, [`Error::NonFiniteVector`] for a
    /// product that is not finite, and the operator's own.
    pub fn extend<A: LinearOperator + ?Sized>(
        &mut self,
        op: &A,
        steps: usize,
    ) -> Result<(), Error> {
        for _ in 0..steps {
            if self.next.is_none() {
                break;
            }
            let image = self.image(op)?;
            self.step(op, image)?;
        }
        Ok(())
    }

    /// Does the first two of at most `most` steps, unless one is done, and makes one more product
    /// to see that products are the same each time and linear.
    ///
    /// # Errors
    /// As [`extend`](Self::extend), [`Error::ChangingProducts`], and [`Error::NotLinear`].
    pub(super) fn begin<A: LinearOperator + ?Sized>(
        &mut self,
        op: &A,
        most: usize,
    ) -> Result<(), Error> {
        if self.steps() > 0 || most == 0 {
            return Ok(());
        }
        let first = self.basis.vector(0).into_host();
        let image = self.image(op)?;
        let of_first = image.clone().into_host();
        self.step(op, image)?;
        if most == 1 || self.next.is_none() {
            return repeats(op, &first, &of_first);
        }
        let second = self.basis.vector(1).into_host();
        let image = self.image(op)?;
        let of_second = image.clone().into_host();
        repeats_and_is_linear(op, (&first, &of_first), (&second, &of_second))?;
        self.step(op, image)
    }

    /// Returns the product with the next basis vector.
    fn image<A: LinearOperator + ?Sized>(&self, op: &A) -> Result<Vector, Error> {
        let m = self.steps();
        let mut images = self.basis.images(op, m..m + 1)?;
        Ok(images.swap_remove(0))
    }

    /// Takes in the product with the next basis vector.
    fn step<A: LinearOperator + ?Sized>(&mut self, op: &A, mut w: Vector) -> Result<(), Error> {
        let unit_roundoff = op.domain().unit_roundoff().max(self.basis.unit_roundoff());
        self.relative_error = self.relative_error.max(op.relative_error());
        let m = self.steps();
        let coupling = self
            .next
            .take()
            .expect("the product is with the next vector");
        // The vector itself and the one before it.
        let coefficients = self.basis.orthogonalize_near(&mut w, 2);
        let alpha = coefficients[m];
        if m > 0 {
            self.tridiagonal.beta.push(coupling);
            self.defect = self.defect.max((coefficients[m - 1] - coupling).abs());
            for coefficient in &coefficients[..m - 1] {
                self.defect = self.defect.max(coefficient.abs());
            }
        }
        self.tridiagonal.alpha.push(alpha);
        self.last_beta = self.basis.norm(&w);
        // Gershgorin's row sum of T, a bound of the operator's norm as far as it has been seen.
        self.scale = self.scale.max(coupling + alpha.abs() + self.last_beta);
        self.asymmetry = if self.scale > 0.0 {
            self.defect / self.scale
        } else {
            0.0
        };
        if self.basis.is_complete() {
            return Ok(());
        }
        // A product is known to about its unit roundoff times the operator's norm. What is left at
        // that level is rounding: its direction means nothing, and the zero put into T in its
        // place is within the operator's own error. Ten leaves room for the sums in the product.
        if self.last_beta <= 10.0 * unit_roundoff * self.scale {
            self.restarts.push(m + 1);
            self.basis.push_fresh(self.seed, self.restarts.len())?;
            self.next = Some(0.0);
        } else {
            self.basis.push_scaled(w, self.last_beta)?;
            self.next = Some(self.last_beta);
        }
        Ok(())
    }

    /// Returns the eigenvalues of T, ascending, with their residual bounds.
    ///
    /// # Errors
    /// [`Error::Decomposition`] when the small eigenproblem fails.
    pub fn ritz_values(&self, tolerance: f64) -> Result<Vec<RitzValue>, Error> {
        let eigen = self.tridiagonal.eigen()?;
        let scale = largest_magnitude(&eigen.values);
        let ends = eigen.first_row().into_iter().zip(eigen.last_row());
        Ok(eigen
            .values
            .iter()
            .zip(ends)
            .map(|(&value, (first, last))| {
                let bound = (self.last_beta * last).abs();
                RitzValue {
                    value,
                    bound,
                    weight: first * first,
                    converged: bound <= tolerance * scale,
                }
            })
            .collect())
    }

    /// Returns the Gauss quadrature of the start vector.
    ///
    /// # Errors
    /// [`Error::Decomposition`] when the small eigenproblem fails.
    pub fn quadrature(&self) -> Result<Quadrature, Error> {
        let eigen = self.tridiagonal.eigen()?;
        let weights = eigen
            .first_row()
            .iter()
            .map(|first| first * first)
            .collect();
        Ok(Quadrature {
            nodes: eigen.values,
            weights,
            relative_error: self.relative_error,
        })
    }

    /// Returns the vector with the given coefficients in the basis.
    pub(super) fn combine(&self, coefficients: &[f64]) -> Vec<f64> {
        self.basis.combine(coefficients)
    }
}

/// Returns the start vector number `index` of a seed, uniform on the unit sphere.
///
/// # Errors
/// [`Error::Setting`] for an operator without coordinates.
pub(super) fn random_start<A: LinearOperator + ?Sized>(
    op: &A,
    seed: u64,
    index: u64,
) -> Result<Vec<f64>, Error> {
    if op.dim() == 0 {
        return Err(Error::Setting {
            name: "the operator's dimension",
            value: "0".into(),
            allowed: "at least 1",
        });
    }
    Ok(sphere(seed, Purpose::Lanczos.stream(index), op.dim()))
}
