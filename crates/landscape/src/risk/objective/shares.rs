//! The shares that devices have of an objective.

use burn::module::Module;
use burn::tensor::Tensor;

use super::Objective;
use crate::batch::Batch;
use crate::error::Error;
use crate::risk::{OnFailure, Spread, brought_home, mean, mean_vectors};
use crate::vector::Domain;

/// An objective for each device, over its share of the data.
#[derive(Debug)]
pub(super) struct Shares<M, B>(Spread<M, B, (), Objective<M, B>>);

impl<M: Module, B: Batch> Objective<M, B> {
    /// Returns the shares of the devices; none where the risk has no devices.
    pub(super) fn shares(&self) -> Result<Option<&Shares<M, B>>, Error> {
        if self.risk().devices().is_none() {
            return Ok(None);
        }
        if self.shares.get().is_none() {
            let spread = Spread::of(&[self], (), |model, risks, ()| Self::at(model, &risks[0]))?;
            let shares = spread.map(|spread| Box::new(Shares(spread)));
            return Ok(self.shares.get_or_init(|| shares).as_deref());
        }
        Ok(self.shares.get().and_then(Option::as_deref))
    }
}

impl<M: Module, B: Batch> Shares<M, B> {
    /// Returns the mean of what `value` gives for each share.
    pub(super) fn value(
        &self,
        value: impl Fn(&Objective<M, B>) -> Result<f64, Error> + Sync,
    ) -> Result<f64, Error> {
        let shares = self.0.each(OnFailure::GoOn, |share| {
            let value = value(share)?;
            Ok((share.weight()?, value))
        })?;
        Ok(mean(shares))
    }

    /// Returns L and Burn's gradient at `theta`, in `domain`.
    pub(super) fn gradient(
        &self,
        theta: &Tensor<1>,
        domain: &Domain,
    ) -> Result<(f64, Tensor<1>), Error> {
        let shares = self.0.each(OnFailure::GoOn, |share| {
            let (value, gradient) = share.burns_gradient(&share.space().domain.adopt(theta)?)?;
            Ok((share.weight()?, value, brought_home(domain, &[gradient])?))
        })?;
        let value = mean(shares.iter().map(|&(weight, value, _)| (weight, value)));
        let gradients = shares
            .into_iter()
            .map(|(weight, _, gradient)| (weight, gradient));
        let gradient = mean_vectors(gradients.collect()).pop();
        Ok((value, gradient.expect("each share has a gradient")))
    }
}
