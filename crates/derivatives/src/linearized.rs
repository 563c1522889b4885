//! A loss at one point, ready for many products.

use std::sync::OnceLock;

use burn::tensor::Tensor;
use burn_dispatch::DispatchTensor;

use crate::graph::Set;
use crate::many::Last;
use crate::plan::Values;
use crate::programs::Linear;
use crate::{CapturedLoss, Error};

/// A captured loss at one point theta; see [`CapturedLoss::linearize`].
///
/// What a kind of product needs of the point is computed at the first product of that kind and kept
/// as long as this value lives.
#[derive(Debug)]
pub struct Linearized {
    loss: CapturedLoss,
    point: Vec<DispatchTensor>,
    hessian: OnceLock<Values>,
    gauss_newton: OnceLock<Values>,
    fisher: OnceLock<Values>,
    stacked: Last,
}

impl Linearized {
    pub(crate) fn new(loss: CapturedLoss, point: Vec<DispatchTensor>) -> Self {
        Self {
            loss,
            point,
            hessian: OnceLock::new(),
            gauss_newton: OnceLock::new(),
            fisher: OnceLock::new(),
            stacked: Last::default(),
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
        let plan = self.loss.hessian_plan()?;
        let kept = self
            .hessian
            .get_or_init(|| self.loss.kept(plan, &self.point));
        let values = plan.advance(kept, Set::TANGENT, &self.loss.split(v)?);
        Ok(self.loss.join(plan.outputs(&values)))
    }

    /// $J^T H_f J v$, `[P]`.
    ///
    /// # Errors
    /// Outputs that were not marked, a vector of another length than P.
    pub fn gauss_newton_vector(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        let plan = self.loss.gauss_newton_plan()?;
        let kept = self
            .gauss_newton
            .get_or_init(|| self.loss.kept(plan, &self.point));
        let values = plan.advance(kept, Set::TANGENT, &self.loss.split(v)?);
        Ok(self.loss.join(plan.outputs(&values)))
    }

    /// $F v$ with the empirical Fisher matrix, `[P]`; see [`CapturedLoss::fisher_vector`].
    ///
    /// # Errors
    /// Outputs that were not marked, a loss that depends on the parameters beside them, a vector of
    /// another length than P.
    pub fn fisher_vector(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        let plan = self.loss.linear(Linear::Fisher)?;
        let kept = self
            .fisher
            .get_or_init(|| self.loss.kept(plan, &self.point));
        let values = plan.advance(kept, Set::TANGENT, &self.loss.split(v)?);
        Ok(self.loss.join(plan.outputs(&values)))
    }

    pub(crate) fn point(&self) -> &[DispatchTensor] {
        &self.point
    }

    pub(crate) const fn last(&self) -> &Last {
        &self.stacked
    }
}
