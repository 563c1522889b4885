//! The largest eigenvalues of the Hessian, the smallest one, and the stability ratio.

use burn::module::Module;
use burn::tensor::Tensor;
use landscape::spectrum::{
    EigenPair, Extremes, Which, extremes, extremes_from, top_eigenpairs_from,
};
use landscape::{Batch, LanczosConfig, Risk, download, norm, top_eigenpairs};

use crate::budget::MeasuringCost;
use crate::record::{Eigenvalues, Finding, Records};
use crate::workload::{Curvature, Work};
use crate::{Error, Moment, Probe, tag};
use landscape::stability::Optimiser;

/// The tolerance while training: the error of an isolated eigenvalue is of the order of the
/// residual's square, so this gives three to four digits.
const TOLERANCE: f64 = 1e-2;

/// Lanczos steps that are taken to be needed before any run has told.
const USUAL_STEPS: usize = 20;

/// Fewer steps say little.
const LEAST_STEPS: usize = 4;

/// The k largest eigenvalues of the Hessian as `curvature/lambda_1` .. `curvature/lambda_k`, and
/// with [`with_smallest`](Self::with_smallest) the smallest as `curvature/lambda_min`; for each its
/// residual as `curvature_check/lambda_1_residual`: some eigenvalue lies that close.
///
/// A run ends when `‖Hv − λv‖ ≤ 10⁻² · |λ|`, unless [`with_config`](Self::with_config) says
/// otherwise, which takes some 10 to 30 products. Under a limited [`Budget`](crate::Budget) it
/// starts from the eigenvectors of the last measurement and makes as many products as there is time
/// for; the residual tells the rest.
///
/// With [`with_optimiser`](Self::with_optimiser) also the threshold of stability,
/// `stability/threshold`, and `λ₁` over it, `stability/sharpness_ratio`, from the same Lanczos run.
/// For k = 1 both ends come from one run, otherwise from two.
#[derive(Debug, Clone)]
pub struct TopEigenvalues<M, B> {
    risk: Risk<M, B>,
    count: usize,
    lanczos: LanczosConfig,
    smallest: bool,
    optimiser: Option<Optimiser>,
    learning_rate: Option<f64>,
    /// Steps of the last measurement.
    usual: Option<usize>,
}

impl<M: Module, B: Batch> TopEigenvalues<M, B> {
    /// Measures the `count` largest eigenvalues of the Hessian of `risk`.
    pub fn of(risk: &Risk<M, B>, count: usize) -> Self {
        Self {
            risk: risk.clone(),
            count,
            lanczos: LanczosConfig::new().with_tolerance(TOLERANCE),
            smallest: false,
            optimiser: None,
            learning_rate: None,
            usual: None,
        }
    }

    /// Sets the seed of the start vector.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.lanczos.seed = seed;
        self
    }

    /// Sets the configuration of the Lanczos run, but for the end of the spectrum, which the
    /// instrument chooses.
    #[must_use]
    pub fn with_config(self, lanczos: LanczosConfig) -> Self {
        Self { lanczos, ..self }
    }

    /// Adds the smallest eigenvalue, which tells whether the loss falls in some direction. Where
    /// more than one of the largest is wanted it takes a Lanczos run of its own, and it is often
    /// the slower end.
    #[must_use]
    pub fn with_smallest(self) -> Self {
        Self {
            smallest: true,
            ..self
        }
    }

    /// Adds the stability ratio for `optimiser`. The learning rate is the one that the loop tells
    /// ([`Probes::set_learning_rate`](crate::Probes::set_learning_rate)), or else the one of
    /// [`with_learning_rate`](Self::with_learning_rate).
    ///
    /// For Adam, AdamW and RMSprop the ratio is one of the preconditioned spectrum, which takes a
    /// Lanczos run of its own: [`StabilityMonitor`](super::StabilityMonitor) has it, and this
    /// measurement reports so.
    #[must_use]
    pub fn with_optimiser(self, optimiser: Optimiser) -> Self {
        Self {
            optimiser: Some(optimiser),
            ..self
        }
    }

    /// Sets the learning rate where the loop tells none.
    #[must_use]
    pub fn with_learning_rate(self, learning_rate: f64) -> Self {
        Self {
            learning_rate: Some(learning_rate),
            ..self
        }
    }
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> TopEigenvalues<M, B> {
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
        if optimiser.is_preconditioned() {
            return Err(Error::Missing {
                instrument: "the stability ratio".into(),
                what: "the preconditioned spectrum of an adaptive optimiser: add `instrument::StabilityMonitor` in place of `with_optimiser`, and show the optimiser by `Probes::observe_with`",
            });
        }
        let gradient_norm = match optimiser {
            Optimiser::Sam { .. } => norm(&download(
                &moment.risk(&self.risk).gradient(moment.model)?.1,
            )),
            _ => 0.0,
        };
        let threshold = optimiser.threshold(learning_rate, gradient_norm)?;
        records.scalar(tag::STABILITY_THRESHOLD, threshold);
        records.scalar(tag::SHARPNESS_RATIO, lambda / threshold);
        Ok(())
    }

    /// Lanczos runs.
    fn runs(&self) -> usize {
        1 + usize::from(self.smallest && self.count > 1)
    }

    /// Returns what runs of so many steps take: beside them a product for each run to see that
    /// products do not change. Each new vector is orthogonalised twice against all before it, which
    /// reads and writes each of them.
    fn work(&self, steps: usize) -> Work {
        let products = self.runs() * (steps + 1);
        Work::curvature(products, self.runs() * 2 * steps * steps + 6 * products)
    }

    /// Returns the fewest steps that say something.
    fn least(&self) -> usize {
        LEAST_STEPS.max(self.count).min(self.lanczos.max_steps)
    }

    /// Returns the settings of a run that may make as many steps as there is time for.
    fn lanczos(&self, moment: &Moment<'_, M>) -> Result<LanczosConfig, Error> {
        let range = (self.least(), self.lanczos.max_steps);
        let steps = moment.most(&self.risk, range, |steps| self.work(steps))?;
        Ok(self.lanczos.clone().with_max_steps(steps))
    }

    /// Returns the largest ones, and the smallest if it comes from the same run.
    fn largest(
        &self,
        hessian: &Curvature<'_, M, B>,
        config: &LanczosConfig,
        warm: &[Tensor<1>],
    ) -> Result<(Vec<EigenPair>, Option<EigenPair>), Error> {
        if self.count == 1 && self.smallest {
            let Extremes { min, max } = match warm {
                [] => extremes(hessian, config)?,
                warm => extremes_from(hessian, warm, config)?,
            };
            return Ok((vec![max], Some(min)));
        }
        let config = config.clone().with_which(Which::LargestAlgebraic);
        let pairs = match warm {
            [] => top_eigenpairs(hessian, self.count, &config)?,
            warm => top_eigenpairs_from(hessian, self.count, warm, &config)?,
        };
        Ok((pairs, None))
    }
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> Probe<M> for TopEigenvalues<M, B> {
    fn name(&self) -> String {
        match self.count {
            1 => "largest eigenvalue".into(),
            count => format!("{count} largest eigenvalues"),
        }
    }

    fn cost(&self, moment: &Moment<'_, M>) -> Result<Option<MeasuringCost>, Error> {
        let seconds = |steps| moment.estimated(&self.risk, self.work(steps));
        let usual = self.usual.unwrap_or(USUAL_STEPS);
        let usual = usual.min(self.lanczos.max_steps);
        Ok(Some(MeasuringCost {
            least: seconds(self.least())?,
            full: seconds(usual.max(self.least()))?,
        }))
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let hessian = moment.hessian(&self.risk)?;
        let config = self.lanczos(moment)?;
        let warm = match moment.seconds {
            Some(_) => moment.warm(&self.risk),
            None => Vec::new(),
        };
        let (largest, mut smallest) = self.largest(&hessian, &config, &warm)?;
        let mut add = |name: &str, pair: &EigenPair| {
            records.scalar(format!("curvature/{name}"), pair.value);
            records.scalar(format!("{}{name}_residual", tag::CHECK), pair.residual);
        };
        for (index, pair) in largest.iter().enumerate() {
            add(&format!("lambda_{}", index + 1), pair);
        }
        let mut measured = Ok(());
        if self.smallest && smallest.is_none() {
            // The largest ones and what follows from them stand without it.
            let bottom = config.clone().with_which(Which::SmallestAlgebraic);
            match top_eigenpairs(&hessian, 1, &bottom) {
                Ok(bottom) => smallest = bottom.into_iter().next(),
                Err(error) => measured = Err(error.into()),
            }
        }
        if let Some(pair) = &smallest {
            add("lambda_min", pair);
        }
        if let Some(pair) = largest.first() {
            records.scalar(tag::LAMBDA_1_BAND[0], pair.value - pair.residual);
            records.scalar(tag::LAMBDA_1_BAND[1], pair.value + pair.residual);
        }
        let loose = |pair: &&EigenPair| !pair.converged;
        if config.max_steps < self.lanczos.max_steps
            && let Some(pair) = largest.iter().chain(&smallest).find(loose)
        {
            records.shortened(format!(
                "{} Lanczos steps, after which the residual of {:.4} is {:.1e}",
                pair.steps, pair.value, pair.residual
            ));
        } else {
            let steps = largest.iter().chain(&smallest).map(|pair| pair.steps);
            self.usual = steps.max();
        }
        records.found(Finding::Eigenvalues(Eigenvalues {
            largest: largest.iter().map(Into::into).collect(),
            smallest: smallest.as_ref().map(Into::into),
        }));
        if let Some(first) = largest.first() {
            moment.keep_top(&self.risk, first);
        }
        let first = largest.first().map(|pair| pair.value);
        let vectors = largest.into_iter().chain(smallest).map(|pair| pair.vector);
        moment.keep_warm(&self.risk, vectors.collect());
        match (self.optimiser, first) {
            (Some(optimiser), Some(lambda)) => {
                measured.and(self.ratio(optimiser, lambda, moment, records))
            }
            _ => measured,
        }
    }
}
