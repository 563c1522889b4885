//! The Hessian's diagonal blocks, layer by layer: traces and largest eigenvalues.

use std::ops::Range;

use burn::module::Module;
use landscape::operator::Restricted;
use landscape::spectrum::{BlockTrace, Estimate, Which, hutchinson_trace_by_block};
use landscape::{Batch, LanczosConfig, ParameterSpace, Risk, TraceConfig, top_eigenpairs};

use crate::budget::MeasuringCost;
use crate::record::Records;
use crate::workload::{Curvature, Work};
use crate::{Error, Moment, Probe, tag};

/// Probe vectors unless something else is asked for.
const VECTORS: usize = 16;

/// Fewest: one says nothing of its error.
const LEAST_VECTORS: usize = 2;

/// The tolerance of the eigenvalues, as that of the whole Hessian's.
const TOLERANCE: f64 = 1e-2;

/// Lanczos steps that are taken to be needed before any run has told, and fewest.
const USUAL_STEPS: usize = 15;
const LEAST_STEPS: usize = 4;

/// The name of a block, and its ranges of coordinates.
type Named = (String, Vec<Range<usize>>);

/// The traces of the Hessian's diagonal blocks, one for each layer, as `curvature/trace/{layer}`,
/// and their largest eigenvalues as `curvature/lambda_1/{layer}`, the path with `/` for its dots.
///
/// A layer's block `H_ll` holds the second derivatives in the weights of that layer alone. The
/// traces add up to the Hessian's. The largest eigenvalue of a block is the sharpest curvature if
/// only that layer moves: none is above the Hessian's own `λ₁`, and for a positive semidefinite
/// Hessian that is at most their sum.
///
/// The traces are Hutchinson's from 16 probe vectors of the whole Hessian, one product each
/// whatever the number of layers: block l is estimated by the mean of `z_lᵀ (Hz)_l`, with its
/// standard error as `curvature_check/trace/{layer}_standard_error`. The vectors have entries of
/// all layers, so the error of a small block is made by its coupling to large ones too. Each
/// eigenvalue takes a Lanczos run of its own, some ten products, and its residual stands as
/// `curvature_check/lambda_1/{layer}_residual`; [`without_eigenvalues`](Self::without_eigenvalues)
/// leaves them out. Under a limited [`Budget`](crate::Budget) both make do with fewer products.
#[derive(Debug, Clone)]
pub struct LayerCurvature<M, B> {
    risk: Risk<M, B>,
    trace: TraceConfig,
    lanczos: Option<LanczosConfig>,
    by_parameter: bool,
    /// Lanczos steps of the last measurement, of all layers together.
    usual: Option<usize>,
}

impl<M: Module, B: Batch> LayerCurvature<M, B> {
    /// Measures the layers' curvature of `risk`.
    pub fn of(risk: &Risk<M, B>) -> Self {
        Self {
            risk: risk.clone(),
            trace: TraceConfig::new()
                .with_relative_error(0.0)
                .with_max_probes(VECTORS),
            lanczos: Some(LanczosConfig::new().with_tolerance(TOLERANCE)),
            by_parameter: false,
            usual: None,
        }
    }

    /// Sets the seed of all random vectors.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.trace.seed = seed;
        if let Some(lanczos) = &mut self.lanczos {
            lanczos.seed = seed;
        }
        self
    }

    /// Sets the estimate of the traces.
    #[must_use]
    pub fn with_trace_config(self, trace: TraceConfig) -> Self {
        Self { trace, ..self }
    }

    /// Sets the configuration of the Lanczos runs, but for the end of the spectrum.
    #[must_use]
    pub fn with_config(self, lanczos: LanczosConfig) -> Self {
        Self {
            lanczos: Some(lanczos),
            ..self
        }
    }

    /// Leaves the eigenvalues out, which take most of the products.
    #[must_use]
    pub fn without_eigenvalues(self) -> Self {
        Self {
            lanczos: None,
            ..self
        }
    }

    /// Measures the block of each parameter tensor in place of each layer.
    #[must_use]
    pub fn by_parameter(self) -> Self {
        Self {
            by_parameter: true,
            ..self
        }
    }

    /// Returns the name of each block with its ranges of coordinates, in the order of the space.
    fn blocks(&self, model: &M) -> Result<Vec<Named>, Error> {
        let mut blocks: Vec<Named> = Vec::new();
        for block in ParameterSpace::of(model)?.blocks {
            let path = match block.path.rsplit_once('.') {
                Some((layer, _)) if !self.by_parameter => layer,
                _ => &block.path,
            };
            let (path, range) = (path.replace('.', "/"), block.range());
            if range.is_empty() {
                continue;
            }
            match blocks.iter_mut().find(|(known, _)| *known == path) {
                Some((_, ranges)) => match ranges.last_mut() {
                    Some(last) if last.end == range.start => last.end = range.end,
                    _ => ranges.push(range),
                },
                None => blocks.push((path, vec![range])),
            }
        }
        Ok(blocks)
    }
}

/// Returns what so many probe vectors take.
fn trace_work(vectors: usize) -> Work {
    Work::curvature(vectors + 1, 20 * (vectors + 1))
}

/// Returns what Lanczos runs of so many steps take, one for each of `layers`.
fn lanczos_work(steps: usize, layers: usize) -> Work {
    Work::curvature(
        layers * (steps + 2),
        layers * (2 * steps * steps + 6 * steps),
    )
}

/// Returns the trace of several ranges from the same probes. Where a layer's coordinates are not
/// next to each other, its standard error is the sum of those of its parts, an upper bound.
fn together(blocks: &[BlockTrace]) -> Estimate {
    Estimate {
        mean: blocks.iter().map(|block| block.estimate.mean).sum(),
        standard_error: blocks
            .iter()
            .map(|block| block.estimate.standard_error)
            .sum(),
        count: blocks.first().map_or(0, |block| block.estimate.count),
    }
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> LayerCurvature<M, B> {
    /// Measures the traces, within the seconds that are left beside `others`.
    fn traces(
        &self,
        moment: &Moment<'_, M>,
        hessian: &Curvature<'_, M, B>,
        blocks: &[(String, Vec<Range<usize>>)],
        records: &mut Records,
    ) -> Result<(), Error> {
        let mut config = self.trace.clone();
        // The traces have a third of the time: they are few products for all layers.
        let part = match self.lanczos {
            Some(_) => moment.seconds.map(|seconds| seconds / 3.0),
            None => moment.seconds,
        };
        let moment = Moment {
            seconds: part,
            ..*moment
        };
        config.max_probes =
            moment.most(&self.risk, (LEAST_VECTORS, config.max_probes), trace_work)?;
        config.min_probes = config.min_probes.min(config.max_probes);
        let ranges: Vec<_> = blocks
            .iter()
            .flat_map(|(_, ranges)| ranges.clone())
            .collect();
        let found = hutchinson_trace_by_block(hessian, &ranges, &config)?;
        let mut parts = &found.blocks[..];
        for (path, ranges) in blocks {
            let (own, rest) = parts.split_at(ranges.len());
            parts = rest;
            let Estimate {
                mean,
                standard_error,
                ..
            } = together(own);
            records.scalar(format!("{}{path}", tag::LAYER_TRACE), mean);
            let check = format!("{}trace/{path}_standard_error", tag::CHECK);
            records.scalar(check, standard_error);
        }
        if config.max_probes < self.trace.max_probes && !found.converged {
            records.shortened(format!(
                "traces of layers from {} probe vectors in place of {}",
                config.max_probes, self.trace.max_probes
            ));
        }
        Ok(())
    }

    /// Measures the largest eigenvalues.
    fn eigenvalues(
        &mut self,
        moment: &Moment<'_, M>,
        hessian: &Curvature<'_, M, B>,
        blocks: &[(String, Vec<Range<usize>>)],
        records: &mut Records,
    ) -> Result<(), Error> {
        let Some(lanczos) = &self.lanczos else {
            return Ok(());
        };
        let moment = Moment {
            seconds: moment.seconds.map(|seconds| seconds * 2.0 / 3.0),
            ..*moment
        };
        let least = LEAST_STEPS.min(lanczos.max_steps);
        let work = |steps| lanczos_work(steps, blocks.len());
        let steps = moment.most(&self.risk, (least, lanczos.max_steps), work)?;
        let config = lanczos.clone().with_which(Which::LargestAlgebraic);
        let config = config.with_max_steps(steps);
        let (mut made, mut loose) = (0, Vec::new());
        for (path, ranges) in blocks {
            let block = Restricted::to_ranges(hessian, ranges.iter().cloned())?;
            let pairs = top_eigenpairs(&block, 1, &config)?;
            for pair in pairs {
                records.scalar(format!("{}{path}", tag::LAYER_LAMBDA), pair.value);
                let check = format!("{}lambda_1/{path}_residual", tag::CHECK);
                records.scalar(check, pair.residual);
                made = made.max(pair.steps);
                if !pair.converged {
                    loose.push(path.as_str());
                }
            }
        }
        if steps < lanczos.max_steps && !loose.is_empty() {
            records.shortened(format!(
                "eigenvalues of layers from {steps} Lanczos steps, too few for {}",
                loose.join(", ")
            ));
        } else {
            self.usual = Some(made);
        }
        Ok(())
    }
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> Probe<M> for LayerCurvature<M, B> {
    fn name(&self) -> String {
        let of = if self.by_parameter {
            "parameter"
        } else {
            "layer"
        };
        format!("curvature by {of}")
    }

    fn cost(&self, moment: &Moment<'_, M>) -> Result<Option<MeasuringCost>, Error> {
        let layers = self.blocks(moment.model)?.len();
        let seconds = |vectors: usize, steps: Option<usize>| {
            let traces = moment.estimated(&self.risk, trace_work(vectors))?;
            let values = match steps {
                // The Hessian is made once for both.
                Some(steps) => moment.estimated(
                    &self.risk,
                    Work {
                        hessians: 0.0,
                        ..lanczos_work(steps, layers)
                    },
                )?,
                None => 0.0,
            };
            Ok::<_, Error>(traces + values)
        };
        let steps = |steps: usize| {
            let lanczos = self.lanczos.as_ref()?;
            Some(steps.min(lanczos.max_steps))
        };
        let vectors = self.trace.max_probes.min(10 * VECTORS);
        Ok(Some(MeasuringCost {
            least: seconds(LEAST_VECTORS.min(vectors), steps(LEAST_STEPS))?,
            full: seconds(vectors, steps(self.usual.unwrap_or(USUAL_STEPS)))?,
        }))
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let blocks = self.blocks(moment.model)?;
        let hessian = moment.hessian(&self.risk)?;
        self.traces(moment, &hessian, &blocks, records)?;
        self.eigenvalues(moment, &hessian, &blocks, records)
    }
}
