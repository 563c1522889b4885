//! Exact products that are spread over devices.

use burn::module::Module;
use burn::tensor::Tensor;
use derivatives::Workers;
use derivatives::burn_names::is_cpu;

use super::ProductConfig;
use super::exact_products::{ExactProducts, KeptParts};
use super::gauss_newton_squares::{GaussNewtonSquares, Squares};
use super::matrix::Matrix;
use crate::batch::Batch;
use crate::error::Error;
use crate::operator::LinearOperator;
use crate::risk::{Objective, OnFailure, Spread, brought_home, mean, mean_vectors};
use crate::vector::Domain;

/// The products of each device's share of the data, and their means.
#[derive(Debug)]
pub(super) struct SpreadProducts<M, B>(Spread<M, B, Settings, ExactProducts<M, B>>);

type Settings = (Matrix, ProductConfig);

impl<M: Module, B: Batch> SpreadProducts<M, B> {
    /// Captures each share on its device; none where the risk is not spread.
    ///
    /// # Errors
    /// As [`ExactProducts::of`], and a device that fails.
    pub(super) fn of(
        objective: &Objective<M, B>,
        matrix: Matrix,
        config: &ProductConfig,
    ) -> Result<Option<Self>, Error> {
        let settings = (matrix, config.clone());
        let spread = Spread::of(&[objective], settings, |model, risks, (matrix, config)| {
            let objective = Objective::at(model, &risks[0])?;
            let workers = workers(&objective.space().domain, config.threads);
            ExactProducts::with_workers(objective, *matrix, config, workers)
        })?;
        let Some(spread) = spread else {
            return Ok(None);
        };
        spread.each(OnFailure::GoOn, |_| Ok(()))?;
        Ok(Some(Self(spread)))
    }

    /// Returns the products with some vectors, in `domain`.
    pub(super) fn products(
        &self,
        domain: &Domain,
        vectors: &[Tensor<1>],
    ) -> Result<Vec<Tensor<1>>, Error> {
        let shares = self.0.each(OnFailure::Stop, |share| {
            let vectors = brought_home(share.domain(), vectors)?;
            let products = share.unchecked(&vectors)?;
            Ok((
                share.objective().weight()?,
                brought_home(domain, &products)?,
            ))
        })?;
        Ok(mean_vectors(shares))
    }

    /// Returns the quadratic form of a vector.
    pub(super) fn form(&self, v: &Tensor<1>) -> Result<f64, Error> {
        let shares = self.0.each(OnFailure::Stop, |share| {
            let form = share.quadratic_form(v)?;
            Ok((share.objective().weight()?, form))
        })?;
        Ok(mean(shares))
    }

    /// Returns the diagonal of the Gauss-Newton matrix, or its sums.
    pub(super) fn gauss_newton_squares(&self, of: Squares) -> Result<GaussNewtonSquares, Error> {
        let shares = self.0.each(OnFailure::GoOn, |share| {
            Ok((share.objective().weight()?, share.gauss_newton_squares(of)?))
        })?;
        let all: f64 = shares.iter().map(|(weight, _)| weight).sum();
        let mut shares = shares.into_iter();
        let (weight, mut total) = shares.next().ok_or(Error::NoData)?;
        for value in &mut total.values {
            *value *= weight / all;
        }
        for (weight, share) in shares {
            for (sum, value) in total.values.iter_mut().zip(share.values) {
                *sum += weight / all * value;
            }
            total.passes = total.passes.max(share.passes);
            for (all, affine) in total.affine.iter_mut().zip(share.affine) {
                *all &= affine;
            }
        }
        Ok(total)
    }

    /// Returns what all devices keep between products.
    pub(super) fn kept(&self) -> KeptParts {
        let mut sum = KeptParts::default();
        self.0.for_each_made(|share| {
            let kept = share.kept();
            sum.bytes += kept.bytes;
            sum.kept += kept.kept;
            sum.recomputed += kept.recomputed;
        });
        sum
    }
}

/// Returns the workers that submit the parts of a share to a device. A device that is not the host
/// does them one after the other, whoever submits, and a worker that waits for it is missing
/// elsewhere.
pub(super) fn workers(domain: &Domain, threads: Option<usize>) -> Workers {
    if is_cpu(&domain.device) {
        threads.map_or_else(Workers::default, Workers::new)
    } else {
        Workers::new(0)
    }
}
