//! The diagonal matrix by which an adaptive optimiser divides its steps.

use burn::optim::{ModuleOptimizer, OptimizerRecord};
use burn::tensor::Tensor;

use super::record::Record;
use super::{Moments, OptimiserSettings};
use crate::error::Error;
use crate::operator::{LinearOperator, Preconditioned};
use crate::parameters::{Block, ParameterSpace};
use crate::vector::Domain;

/// The preconditioner `P = diag(p)` of an adaptive optimiser: its steps are those of the same
/// optimiser without adaption in the direction `P⁻¹ m` in place of m.
///
/// From the optimiser's own state after its last step, with Burn's arithmetic:
///
/// | optimiser | p |
/// |---|---|
/// | Adam, AdamW | `√(v / (1 − β₂ᵗ)) + ε`, v the second moment or its largest so far (AMSGrad), t the steps |
/// | RMSprop | `√a + ε`, a the mean square of the gradient, less the square of the mean if centred |
///
/// Adam divides its first moment by `1 − β₁ᵗ`, which acts like a larger learning rate and is gone
/// after some tens of steps; it is not part of p.
///
/// Kept on the host: one vector of P.
#[derive(Debug, Clone, PartialEq)]
pub struct Preconditioner {
    /// The diagonal p, `[P]`, positive.
    pub diagonal: Vec<f64>,
    /// Fewest steps that the optimiser counts for a parameter; 0 for RMSprop, which counts none.
    pub steps: u64,
}

impl Preconditioner {
    /// Returns the preconditioner of an optimiser for the coordinates of `space`, which is of the
    /// model it trains: the state belongs to the ids of the parameters.
    ///
    /// Cost: the optimiser's state is copied once.
    ///
    /// # Errors
    /// [`Error::Setting`] for settings without second moments, and for a parameter that the
    /// optimiser has no second moment of: it has had no gradient yet, or belongs to another
    /// optimiser or model.
    pub fn of(
        optimiser: &ModuleOptimizer,
        settings: &OptimiserSettings,
        space: &ParameterSpace,
    ) -> Result<Self, Error> {
        Self::of_record(optimiser.to_record(), settings, space)
    }

    /// Returns the same as [`of`](Self::of) from a record, such as a checkpoint's
    /// (`OptimizerRecord::load`).
    ///
    /// # Errors
    /// As [`of`](Self::of), and a record that cannot be read.
    pub fn of_record(
        record: OptimizerRecord,
        settings: &OptimiserSettings,
        space: &ParameterSpace,
    ) -> Result<Self, Error> {
        let Some(moments) = settings.moments else {
            return Err(Error::Setting {
                name: "the preconditioner's optimiser",
                value: format!("{:?}", settings.optimiser),
                allowed: "Adam, AdamW or RMSprop: others have no preconditioner",
            });
        };
        let record = Record::read(record)?;
        let mut diagonal = Vec::with_capacity(space.dim());
        let mut steps: Option<u64> = None;
        for block in &space.blocks {
            let id = block.id.val();
            match moments {
                Moments::Adam {
                    beta_2,
                    epsilon,
                    amsgrad,
                } => {
                    let time = record.counter(id, "momentum.time");
                    let time = time.ok_or_else(|| missing(block))?;
                    steps = Some(steps.map_or(time, |steps| steps.min(time)));
                    let largest = amsgrad
                        .then(|| record.tensor(id, "momentum.max_moment_2"))
                        .flatten();
                    let moment = largest.or_else(|| record.tensor(id, "momentum.moment_2"));
                    let correction = correction(beta_2, time);
                    let terms = entries(moment, block)?.iter();
                    diagonal.extend(terms.map(|v| (v / correction).sqrt() + f64::from(epsilon)));
                }
                Moments::RmsProp { epsilon } => {
                    let mean = record.tensor(id, "centered.avg");
                    let terms = entries(mean, block)?.iter();
                    diagonal.extend(terms.map(|a| a.sqrt() + f64::from(epsilon)));
                }
            }
        }
        Self::checked(diagonal, steps.unwrap_or(0))
    }

    /// Returns the preconditioner with the diagonal p, for an optimiser of one's own.
    ///
    /// # Errors
    /// [`Error::Setting`] for an entry that is not positive and finite.
    pub fn from_diagonal(diagonal: Vec<f64>) -> Result<Self, Error> {
        Self::checked(diagonal, 0)
    }

    fn checked(diagonal: Vec<f64>, steps: u64) -> Result<Self, Error> {
        let is_bad = |p: &&f64| !(**p > 0.0 && p.is_finite());
        if let Some(bad) = diagonal.iter().find(is_bad) {
            return Err(Error::Setting {
                name: "an entry of the preconditioner",
                value: bad.to_string(),
                allowed: "positive and finite: take an epsilon above 0, and an optimiser whose moments are finite",
            });
        }
        Ok(Self { diagonal, steps })
    }

    /// Returns `p^(−1/2)`, `[P]`, in the space of an operator's vectors.
    ///
    /// # Errors
    /// [`Error::Length`] for an operator of another dimension.
    pub fn scale(&self, domain: &Domain) -> Result<Tensor<1>, Error> {
        domain.check_length("preconditioner", self.diagonal.len())?;
        let scale: Vec<f64> = self.diagonal.iter().map(|p| p.sqrt().recip()).collect();
        domain.upload(&scale)
    }

    /// Returns `P^(−1/2) A P^(−1/2)`.
    ///
    /// # Errors
    /// [`Error::Length`] for an operator of another dimension, and a scale that overflows in its
    /// float type.
    ///
    /// # Examples
    /// ```
    /// use burn::tensor::{DType, Device};
    /// use landscape::operator::Dense;
    /// use landscape::spectrum::dense_spectrum;
    /// use landscape::stability::Preconditioner;
    ///
    /// let hessian = Dense::new(&[4.0, 0.0, 0.0, 9.0], (&Device::flex(), DType::F64))?;
    /// let preconditioner = Preconditioner::from_diagonal(vec![4.0, 1.0])?;
    /// let spectrum = dense_spectrum(&preconditioner.apply_to(&hessian)?)?;
    /// assert_eq!(spectrum.values, [1.0, 9.0]);
    /// # Ok::<(), landscape::Error>(())
    /// ```
    pub fn apply_to<A: LinearOperator>(&self, op: A) -> Result<Preconditioned<A>, Error> {
        let scale = self.scale(op.domain())?;
        Preconditioned::new(op, &scale)
    }
}

/// Returns `1 − β₂ᵗ` in f32, as Burn computes it.
#[expect(
    clippy::cast_possible_truncation,
    reason = "Burn counts steps in a usize and takes them to an i32"
)]
fn correction(beta_2: f32, time: u64) -> f64 {
    f64::from(1.0 - beta_2.powi(time as i32))
}

fn entries<'r>(tensor: Option<&'r [f64]>, block: &Block) -> Result<&'r [f64], Error> {
    match tensor {
        Some(tensor) if tensor.len() == block.len() => Ok(tensor),
        _ => Err(missing(block)),
    }
}

fn missing(block: &Block) -> Error {
    Error::Setting {
        name: "the second moment of a parameter",
        value: format!("missing for `{}`", block.path),
        allowed: "in the optimiser's state: take the optimiser and the settings that train this model, after a step in which the parameter has a gradient",
    }
}
