//! A loss at one point, ready for many products.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use burn::tensor::Tensor;
use burn_dispatch::DispatchTensor;

use super::captured::number;
use crate::graph::Set;
use crate::run::{Plan, PlanValues, Profile};
use crate::transform::Linear;
use crate::{CapturedLoss, Error};

/// A captured loss at one point θ; see [`CapturedLoss::linearize`].
///
/// What a kind of product needs of the point is computed at the first product of that kind and kept
/// as long as this value lives.
#[derive(Debug)]
pub struct Linearized {
    loss: CapturedLoss,
    point: Vec<DispatchTensor>,
    hessian: OnceLock<PlanValues>,
    gauss_newton: OnceLock<PlanValues>,
    fisher: OnceLock<PlanValues>,
    hessian_remainder: OnceLock<PlanValues>,
    row_squares: OnceLock<PlanValues>,
    row_norms: OnceLock<PlanValues>,
    stacked: LastStacked,
}

/// A program of several inputs at once, at the point of a [`Linearized`].
#[derive(Debug)]
pub(super) struct StackedAtPoint {
    pub(super) map: Linear,
    pub(super) len: usize,
    pub(super) plan: Arc<Plan>,
    /// What the program keeps of the point.
    pub(super) values: PlanValues,
}

/// The last of them.
#[derive(Debug, Default)]
pub(super) struct LastStacked(pub(super) Mutex<Option<Arc<StackedAtPoint>>>);

impl CapturedLoss {
    /// Returns the loss at one point, with all that does not depend on a tangent computed and kept:
    /// each product then costs the rest only.
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn linearize(&self, theta: &Tensor<1>) -> Result<Linearized, Error> {
        Ok(Linearized {
            loss: self.clone(),
            point: self.split(theta)?,
            hessian: OnceLock::new(),
            gauss_newton: OnceLock::new(),
            fisher: OnceLock::new(),
            hessian_remainder: OnceLock::new(),
            row_squares: OnceLock::new(),
            row_norms: OnceLock::new(),
            stacked: LastStacked::default(),
        })
    }
}

impl Linearized {
    /// Returns the loss that was linearised.
    #[must_use]
    pub const fn loss(&self) -> &CapturedLoss {
        &self.loss
    }

    /// Returns `H v`, `[P]`.
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn hessian_vector(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        self.product(self.loss.programs().curvature(), &self.hessian, v)
    }

    /// Returns `vᵀHv` from what [`hessian_vector`](Self::hessian_vector) keeps. Cost: about half
    /// such a product.
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn quadratic_form(&self, v: &Tensor<1>) -> Result<f64, Error> {
        self.form(self.loss.programs().curvature(), &self.hessian, v)
    }

    /// Returns `vᵀGv` with the Gauss-Newton matrix G, `(J v)ᵀ H_f (J v)`, from what
    /// [`gauss_newton_vector`](Self::gauss_newton_vector) keeps. It takes a forward derivative of
    /// the model and no backward pass. Cost: about half such a product.
    ///
    /// # Errors
    /// Outputs that were not marked, a vector of another length than P.
    pub fn gauss_newton_form(&self, v: &Tensor<1>) -> Result<f64, Error> {
        self.form(self.loss.programs().gauss_newton()?, &self.gauss_newton, v)
    }

    /// Returns `vᵀFv` with the empirical Fisher matrix, `1/N Σₙ (gₙᵀ v)²`, from what
    /// [`fisher_vector`](Self::fisher_vector) keeps. It takes a forward derivative of the model
    /// and no backward pass. Cost: about half such a product.
    ///
    /// # Errors
    /// As [`fisher_vector`](Self::fisher_vector).
    pub fn fisher_form(&self, v: &Tensor<1>) -> Result<f64, Error> {
        self.form(self.loss.programs().fisher()?, &self.fisher, v)
    }

    /// Returns `Jᵀ H_f J v`, `[P]`.
    ///
    /// # Errors
    /// Outputs that were not marked, a vector of another length than P.
    pub fn gauss_newton_vector(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        self.product(self.loss.programs().gauss_newton()?, &self.gauss_newton, v)
    }

    /// Returns `F v` with the empirical Fisher matrix, `[P]`; see [`CapturedLoss::fisher_vector`].
    ///
    /// # Errors
    /// Outputs that were not marked, a loss that depends on the parameters beside them, a vector of
    /// another length than P.
    pub fn fisher_vector(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        self.product(self.loss.programs().fisher()?, &self.fisher, v)
    }

    /// Returns the bytes of what [`hessian_vector`](Self::hessian_vector) keeps, known before it is
    /// kept; the parameters and the batch itself are not counted.
    #[must_use]
    pub fn hessian_bytes(&self) -> usize {
        self.loss.programs().curvature().kept_bytes()
    }

    /// Returns the bytes of what [`gauss_newton_vector`](Self::gauss_newton_vector) keeps, as
    /// [`hessian_bytes`](Self::hessian_bytes).
    ///
    /// # Errors
    /// Outputs that were not marked.
    pub fn gauss_newton_bytes(&self) -> Result<usize, Error> {
        Ok(self.loss.programs().gauss_newton()?.kept_bytes())
    }

    /// Returns the bytes of what [`fisher_vector`](Self::fisher_vector) keeps, as
    /// [`hessian_bytes`](Self::hessian_bytes).
    ///
    /// # Errors
    /// Outputs that were not marked, a loss that depends on the parameters beside them.
    pub fn fisher_bytes(&self) -> Result<usize, Error> {
        Ok(self.loss.programs().fisher()?.kept_bytes())
    }

    /// Returns for each operation of [`hessian_vector`](Self::hessian_vector) with its shape the
    /// time it took and how often it ran, the longest first. For looking at, not for parsing.
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn hessian_times(&self, v: &Tensor<1>) -> Result<Vec<(String, Duration, usize)>, Error> {
        self.times(0, v)
    }

    /// Returns the times of [`quadratic_form`](Self::quadratic_form), as
    /// [`hessian_times`](Self::hessian_times).
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn quadratic_times(&self, v: &Tensor<1>) -> Result<Vec<(String, Duration, usize)>, Error> {
        self.times(1, v)
    }

    fn times(&self, group: usize, v: &Tensor<1>) -> Result<Vec<(String, Duration, usize)>, Error> {
        let plan = self.loss.programs().curvature();
        let kept = self.kept(plan, &self.hessian);
        let mut times = Profile::default();
        plan.group(group, kept, &self.loss.split(v)?, Some(&mut times));
        Ok(times.sorted())
    }

    pub(super) fn point(&self) -> &[DispatchTensor] {
        &self.point
    }

    pub(super) const fn last(&self) -> &LastStacked {
        &self.stacked
    }

    pub(super) const fn kept_for_remainder(&self) -> &OnceLock<PlanValues> {
        &self.hessian_remainder
    }

    pub(super) const fn kept_for_norms(&self) -> &OnceLock<PlanValues> {
        &self.row_norms
    }

    pub(super) const fn kept_for_squares(&self) -> &OnceLock<PlanValues> {
        &self.row_squares
    }

    pub(super) fn kept<'a>(&self, plan: &Plan, kept: &'a OnceLock<PlanValues>) -> &'a PlanValues {
        if let Some(values) = kept.get() {
            return values;
        }
        // Not while others are locked out: a thread that waits for its share of a kernel may be
        // given another product at this point by the pool it is in, and would wait for itself.
        let start = plan.start(self.loss.data());
        let values = plan.advance(&start, Set::POINT, &self.point);
        kept.get_or_init(|| values)
    }

    fn form(&self, plan: &Plan, kept: &OnceLock<PlanValues>, v: &Tensor<1>) -> Result<f64, Error> {
        let form = plan.group(1, self.kept(plan, kept), &self.loss.split(v)?, None);
        Ok(number(&form[0]))
    }

    pub(super) fn product(
        &self,
        plan: &Plan,
        kept: &OnceLock<PlanValues>,
        v: &Tensor<1>,
    ) -> Result<Tensor<1>, Error> {
        let tangent = self.loss.split(v)?;
        let product = plan.group(0, self.kept(plan, kept), &tangent, None);
        Ok(self.loss.join(product))
    }
}
