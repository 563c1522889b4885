//! A diagnosis of a training from its records: what goes wrong, how sure that is, what it means on
//! the loss landscape, and what to try.
//!
//! [`Facts`] take in the records of a run and what the program knows of its settings;
//! [`Facts::diagnose`] gives a [`Diagnosis`] with its [`Finding`]s, the most severe first and
//! causes before their consequences. In a training loop one line does it:
//! [`Probes::with_diagnosis`](crate::Probes::with_diagnosis).
//!
//! Nothing is measured for it: rules read what probes have recorded, by tag. A rule whose numbers
//! are missing is listed in [`Diagnosis::not_looked_at`] with what to switch on.
//!
//! # Symptoms
//!
//! Thresholds come from derivations and from tests with a stated rate of false alarms, not from
//! runs. `F` is the part of the loss that was learnt, `1 − L / ln C` with L the training loss over
//! the last tenth of its points (McFadden 1974), and `L₀ = ln C`; without classes the first loss
//! stands for `ln C`. A run is *harmed* if half of it is over and `F < 1/2`, or if a loss or a
//! gradient is not finite.
//!
//! | symptom | evidence | threshold | source |
//! |---|---|---|---|
//! | exploding gradients | first loss; `gradient/layer/..` at the start; a gradient that is not finite | `2 ln C`: outputs of variance `2 ln C` where sound weights give at most 2; 1,000 between layers, which no ratio of widths explains | He et al. 2015, Glorot and Bengio 2010; Pascanu et al. 2013 |
//! | learning rate too high | the loss after the start; `stability/sharpness_ratio` at the start; `parameters/relative_update`; units that died | a loss that is not finite or above `2 max(L(0), ln C)`; a ratio of 2; an update as long as the weights; a gradient that dead units block, and did not at the start | LeCun et al. 1993; Lewkowycz et al. 2020; You et al. 2017; Lu et al. 2020 |
//! | saturated units | `activation/..saturated_share`, `../std` of tanh and sigmoid layers | `√Π(1 − s) < 1/10` over the layers: the gradient that passes, at most `(1 − std²) / 0.606` in a tanh layer | Glorot and Bengio 2010 |
//! | dead units | `activation/..dead_share` | the same | Lu et al. 2020 |
//! | vanishing gradients or plateau | `gradient/layer/..` and `weights/../spectral_norm` at the start; `gradient/norm` at the end | 1/1,000 between layers; the product of the layers' largest singular values below 1/1,000; a gradient with which a whole run, at any stable rate, would remove less than `L₀ / 20`, while the loss is at chance within its sampling error and falls no more (0.1 %) | He et al. 2015; Szegedy et al. 2014 |
//! | BatchNorm gap | `batch_norm/loss_gap` | twice the loss of the batches, and `L₀ / 20` above it | Ioffe and Szegedy 2015 |
//! | learning rate too low | `gradient/norm` at the start; `stability/sharpness_ratio` | `Σ η ‖g₀‖² < L₀`: all steps together do not remove the loss once, to first order; every ratio below 1/10 | Nesterov 2004; LeCun et al. 1993 |
//! | labels that cannot be fitted | validation loss and accuracy; `gradient/noise_scale` | accuracy within 3.09 standard errors of `1/C` (0.1 %); a noise scale of a third of the examples | Zhang et al. 2017; McCandlish et al. 2018 |
//! | past the edge of stability | `stability/sharpness_ratio` | above 1.1 twice, or above 2 once, beyond its error; a warning if the loss rises again by `L₀ / 10` | Cohen et al. 2021; Lewkowycz et al. 2020 |
//! | ill-conditioned curvature | `curvature/lambda_1/..` by layer, `weights/../spectral_norm`, at the start; the stability ratio of a loss that falls slowly | 1,000 between layers, `√1,000` of their weights; a ratio from 1/2 to 1.1 | Du et al. 2018, Neyshabur et al. 2015; Nocedal and Wright 2006 |
//! | saddle or flat region | `gradient/norm`, `gradient/noise_scale`, `curvature/lambda_min`, `curvature/lambda_1` at the end of a harmed run | a gradient with which a whole run would remove `L₀ / 20`, or a noise scale of a third of the examples; `λ_min` below 0 beyond its residual; `Σ η λ₁ < 1` | Dauphin et al. 2014; McCandlish et al. 2018 |
//! | chaotic landscape | `landscape/line_data`, `landscape/surface_data` | a total variation of half the range above that of one valley, and three valleys | Li et al. 2018 |
//! | inconsistent seeds ([`Diagnosis::of_runs`]) | training loss and validation accuracy of each | some harmed and some not; χ² of the accuracies (0.1 %) and twice the errors | |
//! | sharp minimum | `sharpness/sam`, `curvature/lambda_1` at the end | a rise of `ln 2` within ρ; always a note, because no such number predicts generalisation | Foret et al. 2021; Dinh et al. 2017, Jiang et al. 2020, Andriushchenko et al. 2023 |
//!
//! Each rule is a file with its derivation. A finding above [`Severity::Note`] needs a run that is
//! harmed, or a mechanism that was measured itself: a layer that passes no gradient, a loss that
//! jumped. A run that learns has notes at most.
//!
//! # What it does not say
//! A finding names what its numbers show, and a remedy what usually helps; only trying tells. A run
//! without a finding may still generalise badly: nothing here predicts that.

mod facts;
mod finding;
mod judge;
mod number;
mod remedy;
mod report;
mod rule;
mod series;
mod slices;
mod view;
mod words;

pub use facts::Facts;
pub use finding::{Confidence, Evidence, Finding, Severity, Symptom};
pub use remedy::{ActivationFunction, InitialisationScheme, OptimiserKind, Remedy};
pub use report::{Diagnosis, NotLookedAt};
