//! What the Hessian has beside the Gauss-Newton matrix.

use burn::tensor::Tensor;

use crate::transform::Linear;
use crate::{CapturedLoss, Error, Linearized};

impl CapturedLoss {
    /// Returns `(H − G) v`, `[P]`, with the Hessian H and the Gauss-Newton matrix `G = Jᵀ H_f J`
    /// of the loss L in the marked outputs f.
    ///
    /// Where the loss depends on the parameters through f only, it is `Σ_k (∂L/∂f_k) ∇²f_k v`,
    /// computed as that and not as a difference: it costs less than `H v`, and is exact to its own
    /// rounding where it is small beside both.
    ///
    /// # Errors
    /// Outputs that were not marked, a vector of another length than P.
    pub fn hessian_remainder_vector(
        &self,
        theta: &Tensor<1>,
        v: &Tensor<1>,
    ) -> Result<Tensor<1>, Error> {
        let outputs = self.along(self.programs().linear(Linear::HessianRemainder)?, theta, v)?;
        Ok(self.join(outputs))
    }
}

impl Linearized {
    /// Returns `(H − G) v`, `[P]`; see [`CapturedLoss::hessian_remainder_vector`].
    ///
    /// # Errors
    /// Outputs that were not marked, a vector of another length than P.
    pub fn hessian_remainder_vector(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        let plan = self.loss().programs().linear(Linear::HessianRemainder)?;
        self.product(plan, self.kept_for_remainder(), v)
    }

    /// Returns `(H − G) v` for each of `vectors`, as [`hessian_vectors`](Self::hessian_vectors).
    ///
    /// # Errors
    /// As [`hessian_remainder_vector`](Self::hessian_remainder_vector).
    pub fn hessian_remainder_vectors(
        &self,
        vectors: &[Tensor<1>],
    ) -> Result<Vec<Tensor<1>>, Error> {
        self.products(Linear::HessianRemainder, vectors)
    }

    /// Returns the bytes of what [`hessian_remainder_vector`](Self::hessian_remainder_vector)
    /// keeps, as [`hessian_bytes`](Self::hessian_bytes).
    ///
    /// # Errors
    /// Outputs that were not marked.
    pub fn hessian_remainder_bytes(&self) -> Result<usize, Error> {
        let plan = self.loss().programs().linear(Linear::HessianRemainder)?;
        Ok(plan.kept_bytes())
    }
}
