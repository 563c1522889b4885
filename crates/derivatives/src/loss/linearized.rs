//! A loss at one point, ready for many products.

use std::sync::OnceLock;
use std::time::Duration;

use burn::tensor::Tensor;
use burn_dispatch::DispatchTensor;

use super::captured::number;
use super::programs::Linear;
use super::stacked::LastStacked;
use crate::run::Profile;
use crate::run::{Plan, PlanValues};
use crate::{CapturedLoss, Error};

/// A captured loss at one point theta; see [`CapturedLoss::linearize`].
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
    stacked: LastStacked,
}

impl Linearized {
    pub(crate) fn new(loss: CapturedLoss, point: Vec<DispatchTensor>) -> Self {
        Self {
            loss,
            point,
            hessian: OnceLock::new(),
            gauss_newton: OnceLock::new(),
            fisher: OnceLock::new(),
            stacked: LastStacked::default(),
        }
    }

    /// The loss that was linearised.
    #[must_use]
    pub const fn loss(&self) -> &CapturedLoss {
        &self.loss
    }

    /// $H v$, `[P]`.
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn hessian_vector(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        self.product(self.loss.curvature_plan(), &self.hessian, v)
    }

    /// $v^T H v$ from what [`hessian_vector`](Self::hessian_vector) keeps. Cost: about half such a
    /// product.
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn quadratic_form(&self, v: &Tensor<1>) -> Result<f64, Error> {
        let plan = self.loss.curvature_plan();
        let kept = self.kept(plan, &self.hessian);
        let form = plan.group(1, kept, &self.loss.split(v)?, None);
        Ok(number(&form[0]))
    }

    /// $J^T H_f J v$, `[P]`.
    ///
    /// # Errors
    /// Outputs that were not marked, a vector of another length than P.
    pub fn gauss_newton_vector(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        self.product(self.loss.gauss_newton_plan()?, &self.gauss_newton, v)
    }

    /// $F v$ with the empirical Fisher matrix, `[P]`; see [`CapturedLoss::fisher_vector`].
    ///
    /// # Errors
    /// Outputs that were not marked, a loss that depends on the parameters beside them, a vector of
    /// another length than P.
    pub fn fisher_vector(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        self.product(self.loss.linear(Linear::Fisher)?, &self.fisher, v)
    }

    /// Bytes of what [`hessian_vector`](Self::hessian_vector) keeps, known before it is kept; the
    /// parameters and the batch itself are not counted.
    #[must_use]
    pub fn hessian_bytes(&self) -> usize {
        self.loss.curvature_plan().kept_bytes()
    }

    /// As [`hessian_bytes`](Self::hessian_bytes), of
    /// [`gauss_newton_vector`](Self::gauss_newton_vector).
    ///
    /// # Errors
    /// Outputs that were not marked.
    pub fn gauss_newton_bytes(&self) -> Result<usize, Error> {
        Ok(self.loss.gauss_newton_plan()?.kept_bytes())
    }

    /// As [`hessian_bytes`](Self::hessian_bytes), of [`fisher_vector`](Self::fisher_vector).
    ///
    /// # Errors
    /// Outputs that were not marked, a loss that depends on the parameters beside them.
    pub fn fisher_bytes(&self) -> Result<usize, Error> {
        Ok(self.loss.linear(Linear::Fisher)?.kept_bytes())
    }

    /// Where the time of [`hessian_vector`](Self::hessian_vector) goes: for each operation with its
    /// shape, the time it took and how often it ran, the longest first. For looking at, not for
    /// parsing.
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn hessian_times(&self, v: &Tensor<1>) -> Result<Vec<(String, Duration, usize)>, Error> {
        self.times(0, v)
    }

    /// As [`hessian_times`](Self::hessian_times), of [`quadratic_form`](Self::quadratic_form).
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn quadratic_times(&self, v: &Tensor<1>) -> Result<Vec<(String, Duration, usize)>, Error> {
        self.times(1, v)
    }

    fn times(&self, group: usize, v: &Tensor<1>) -> Result<Vec<(String, Duration, usize)>, Error> {
        let plan = self.loss.curvature_plan();
        let kept = self.kept(plan, &self.hessian);
        let mut times = Profile::default();
        plan.group(group, kept, &self.loss.split(v)?, Some(&mut times));
        Ok(times.sorted())
    }

    pub(crate) fn point(&self) -> &[DispatchTensor] {
        &self.point
    }

    pub(crate) const fn last(&self) -> &LastStacked {
        &self.stacked
    }

    fn kept<'a>(&self, plan: &Plan, kept: &'a OnceLock<PlanValues>) -> &'a PlanValues {
        if let Some(values) = kept.get() {
            return values;
        }
        // Not while others are locked out: a thread that waits for its share of a kernel may be given
        // another product at this point by the pool it is in, and would wait for itself.
        let values = self.loss.kept(plan, &self.point);
        kept.get_or_init(|| values)
    }

    fn product(
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
