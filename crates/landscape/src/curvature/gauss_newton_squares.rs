//! The diagonal of the Gauss-Newton matrix, or its sums over the parameter tensors, by backward
//! passes over square roots of the loss's Hessian in the outputs.

use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use derivatives::{CapturedLoss, Linearized};

use super::exact_products::ExactProducts;
use super::output_roots::OutputRoots;
use crate::batch::Batch;
use crate::error::Error;
use crate::operator::LinearOperator;
use crate::risk::{Cutter, Part};
use crate::vector::{Domain, checked, download};

/// Bytes that the largest tensor of a part's backward pass may have, where a smaller part helps:
/// the gradients of single examples, of weights that are used several times in each.
const LARGEST: usize = 1 << 26;

/// Examples of a part, at most and at least.
const MOST: usize = 512;
const FEW: usize = 8;

/// What is summed over the rows: `Σₙ (Jₙᵀ sₙ)²` entry by entry, or over each parameter tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Squares {
    Entries,
    Blocks,
}

impl Squares {
    fn largest(self, loss: &CapturedLoss) -> Result<usize, derivatives::Error> {
        match self {
            Self::Entries => loss.largest_of_row_squares(),
            Self::Blocks => loss.largest_of_row_norms(),
        }
    }

    fn at(self, point: &Linearized, u: &Tensor<1>) -> Result<Tensor<1>, derivatives::Error> {
        match self {
            Self::Entries => point.row_squares(u),
            Self::Blocks => point.row_norms(u),
        }
    }
}

/// The diagonal of G or the traces of its diagonal blocks, exact.
#[derive(Debug)]
pub(super) struct GaussNewtonSquares {
    /// `[P]`, or a number for each parameter tensor.
    pub(super) values: Vec<f64>,
    /// Backward passes over the data.
    pub(super) passes: usize,
    /// For each block of parameters, whether its diagonal block of the Hessian is that of G.
    pub(super) affine: Vec<bool>,
}

/// The contributions of parts of the data.
#[derive(Debug, Default)]
struct Sum {
    values: Option<Tensor<1>>,
    passes: usize,
    affine: Option<Vec<bool>>,
}

impl Sum {
    fn add(&mut self, other: Self) {
        self.values = match (self.values.take(), other.values) {
            (Some(a), Some(b)) => Some(a + b),
            (one, None) | (None, one) => one,
        };
        self.passes = self.passes.max(other.passes);
        self.affine = match (self.affine.take(), other.affine) {
            // A closure may give each batch a graph of its own.
            (Some(a), Some(b)) => Some(a.iter().zip(&b).map(|(&a, &b)| a && b).collect()),
            (one, None) | (None, one) => one,
        };
    }
}

impl<M: Module, B: Batch> ExactProducts<M, B> {
    /// Returns the diagonal of the Gauss-Newton matrix or its sums, whatever the matrix of the
    /// products is.
    pub(super) fn gauss_newton_squares(&self, of: Squares) -> Result<GaussNewtonSquares, Error> {
        if let Some(spread) = &self.spread {
            return spread.gauss_newton_squares(of);
        }
        let (origin, domain) = (self.objective().origin(), self.domain());
        let mut fits = !self.held.is_empty();
        for held in &self.held {
            fits = fits && of.largest(held.point.loss())? <= LARGEST;
        }
        let mut total = Sum::default();
        if fits {
            let sums = self.workers.map(&self.jobs(), |job| {
                let mut sum = Sum::default();
                for held in *job {
                    sum.add(of_part(of, held.point.loss(), origin, held.share, domain)?);
                }
                Ok::<_, Error>(sum)
            });
            for sum in sums {
                total.add(sum?);
            }
        } else {
            let cutter = self.fine_cutter(of)?;
            let divisor = self.objective().for_each_share(|index, batch, of_all| {
                let parts = cutter.capture(self.objective(), index, batch, &self.workers)?;
                let sums = self.workers.map(&parts, |part: &Part| {
                    of_part(of, &part.loss, origin, of_all * part.share, domain)
                });
                for sum in sums {
                    total.add(sum?);
                }
                Ok(())
            })?;
            total.values = total.values.map(|values| values / divisor);
        }
        let values = total.values.as_ref().map(download).unwrap_or_default();
        Ok(GaussNewtonSquares {
            values: checked(values, "diagonal of the Gauss-Newton matrix")?,
            passes: total.passes,
            affine: total.affine.unwrap_or_default(),
        })
    }

    /// Returns how to capture the data in parts that are small enough, where they can be cut.
    fn fine_cutter(&self, of: Squares) -> Result<Cutter, Error> {
        let objective = self.objective();
        let mut cutter = Ok(Cutter::whole());
        objective.risk().batches().first(|batch| {
            let few = batch.examples().min(FEW);
            let sample = objective.record(batch.clone().narrow(0..few));
            let of_few = sample.and_then(|sample| Ok(of.largest(&sample)?));
            if let Ok(bytes) = of_few {
                let most = (LARGEST * few / bytes.max(1)).clamp(FEW, MOST);
                cutter = Cutter::like(objective, &batch, most);
            }
        })?;
        cutter
    }
}

/// Returns what some captured examples give. Nothing is kept.
fn of_part(
    of: Squares,
    loss: &CapturedLoss,
    origin: &Tensor<1>,
    share: f64,
    domain: &Domain,
) -> Result<Sum, Error> {
    let point = loss.linearize(origin)?;
    let curvature = point.output_curvature().map_err(|error| match error {
        derivatives::Error::CoupledRows => Error::CoupledOutputs,
        other => other.into(),
    })?;
    let roots = OutputRoots::of(curvature, domain.unit_roundoff())?;
    let affine = loss.affine_blocks()?;
    let length = match of {
        Squares::Entries => domain.dim,
        Squares::Blocks => affine.len(),
    };
    let mut values = Tensor::zeros([length], (&domain.device, domain.dtype));
    let mut passes = 0;
    for (sign, vector) in roots.vectors() {
        let length = vector.len();
        let data = TensorData::new(vector, [length]).convert_dtype(domain.dtype);
        let vector = Tensor::from_data(data, (&domain.device, domain.dtype));
        values = values + of.at(&point, &vector)? * (sign * share);
        passes += 1;
    }
    Ok(Sum {
        values: Some(values),
        passes,
        affine: Some(affine),
    })
}
