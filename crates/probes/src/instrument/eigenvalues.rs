//! The largest eigenvalues of the Hessian, the smallest one, and the stability ratio.

use burn::module::Module;
use landscape::operator::{Observed, download};
use landscape::spectrum::{EigenPair, Which, extremes};
use landscape::{Batch, Hessian, LanczosConfig, Risk, top_eigenpairs};

use super::gradient::norm;
use super::stability::Optimiser;
use crate::Error;
use crate::probe::{Moment, Probe};
use crate::record::Records;

/// The k largest eigenvalues of the Hessian as `curvature/lambda_1` .. `curvature/lambda_k` and the smallest as `curvature/lambda_min`, each with its residual beside it
/// as `.._residual`: some eigenvalue lies that close.
///
/// With [`with_optimiser`](Self::with_optimiser) also the threshold of stability, `stability/threshold`, and $\lambda_1$ over it, `stability/sharpness_ratio`, from the same Lanczos run.
/// For k = 1 both ends come from one run, otherwise from two.
#[derive(Clone, Debug)]
pub struct TopEigenvalues<M, B> {
    risk: Risk<M, B>,
    count: usize,
    lanczos: LanczosConfig,
    smallest: bool,
    optimiser: Option<Optimiser>,
    learning_rate: Option<f64>,
}

impl<M: Module, B: Batch> TopEigenvalues<M, B> {
    /// The `count` largest eigenvalues of the Hessian of `risk`.
    pub fn of(risk: &Risk<M, B>, count: usize) -> Self {
        Self {
            risk: risk.clone(),
            count,
            lanczos: LanczosConfig::new(),
            smallest: true,
            optimiser: None,
            learning_rate: None,
        }
    }

    /// The seed of the start vector.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.lanczos.seed = seed;
        self
    }

    /// The settings of the Lanczos run; which end is wanted is decided here.
    #[must_use]
    pub fn with_lanczos(self, lanczos: LanczosConfig) -> Self {
        Self { lanczos, ..self }
    }

    /// Leaves out the smallest eigenvalue, which saves its Lanczos run when more than one of the largest are wanted.
    #[must_use]
    pub fn without_smallest(self) -> Self {
        Self {
            smallest: false,
            ..self
        }
    }

    /// Adds the stability ratio for `optimiser`. The learning rate is the one that the loop tells ([`Probes::set_learning_rate`](crate::Probes::set_learning_rate)),
    /// or else the one of [`with_learning_rate`](Self::with_learning_rate).
    #[must_use]
    pub fn with_optimiser(self, optimiser: Optimiser) -> Self {
        Self {
            optimiser: Some(optimiser),
            ..self
        }
    }

    /// The learning rate where the loop tells none.
    #[must_use]
    pub fn with_learning_rate(self, learning_rate: f64) -> Self {
        Self {
            learning_rate: Some(learning_rate),
            ..self
        }
    }

    fn ratio(
        &self,
        optimiser: Optimiser,
        lambda: f64,
        moment: &Moment<'_, M>,
        records: &mut Records,
    ) -> Result<(), Error> {
        let learning_rate = moment.learning_rate.or(self.learning_rate).ok_or_else(|| Error::Missing {
            instrument: "the stability ratio".into(),
            what: "the learning rate: call `Probes::set_learning_rate` in the loop, or `with_learning_rate` on the instrument",
        })?;
        let gradient_norm = match optimiser {
            Optimiser::Sam { .. } => norm(&download(&self.risk.gradient(moment.model)?.1)),
            _ => 0.0,
        };
        let threshold = optimiser.threshold(learning_rate, gradient_norm)?;
        records.scalar("stability/threshold", threshold);
        records.scalar("stability/sharpness_ratio", lambda / threshold);
        Ok(())
    }
}

impl<M: Module, B: Batch> Probe<M> for TopEigenvalues<M, B> {
    fn name(&self) -> String {
        format!("top {} eigenvalues", self.count)
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let hessian = Hessian::at(moment.model, &self.risk)?;
        let watched = Observed::new(&hessian, |_| moment.going_on());
        let mut add = |name: &str, pair: &EigenPair| {
            records.scalar(format!("curvature/{name}"), pair.value);
            records.scalar(format!("curvature/{name}_residual"), pair.residual);
        };
        let mut measured = Ok(());
        let largest = if self.count == 1 && self.smallest {
            let ends = extremes(&watched, &self.lanczos)?;
            add("lambda_1", &ends.max);
            add("lambda_min", &ends.min);
            Some(ends.max.value)
        } else {
            let config = |which| LanczosConfig {
                which,
                ..self.lanczos.clone()
            };
            let top = top_eigenpairs(&watched, self.count, &config(Which::LargestAlgebraic))?;
            for (index, pair) in top.iter().enumerate() {
                add(&format!("lambda_{}", index + 1), pair);
            }
            if self.smallest {
                // The largest ones and what follows from them stand without it.
                match top_eigenpairs(&watched, 1, &config(Which::SmallestAlgebraic)) {
                    Ok(bottom) => bottom.iter().for_each(|pair| add("lambda_min", pair)),
                    Err(error) => measured = Err(error.into()),
                }
            }
            top.first().map(|pair| pair.value)
        };
        records.scalar(
            "curvature/lambda_unresolved_products",
            hessian.unresolved() as f64,
        );
        match (self.optimiser, largest) {
            (Some(optimiser), Some(lambda)) => {
                measured.and(self.ratio(optimiser, lambda, moment, records))
            }
            _ => measured,
        }
    }
}
