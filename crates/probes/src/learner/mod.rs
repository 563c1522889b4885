//! Probes in burn-train's learner.
//!
//! A learner has the training loop, so the probes go into what it trains: [`WithProbes`] around a
//! model measures it after each update, counts the steps, and is otherwise that model. [`Epochs`]
//! says how many steps there will be and from which a run goes on; [`Metrics`] hands the learner's
//! metrics to the same sinks.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use burn::data::dataloader::DataLoader;
//! # use burn::module::Module;
//! # use burn::nn::{Linear, LinearConfig};
//! # use burn::nn::loss::{MseLoss, Reduction};
//! # use burn::optim::AdamConfig;
//! # use burn::tensor::{Device, Tensor};
//! # use burn::train::{InferenceStep, Learner, RegressionOutput, SupervisedTraining};
//! # use burn::train::{TrainOutput, TrainStep};
//! # use burn::train::metric::LossMetric;
//! # use landscape::Risk;
//! use probes::instrument::TopEigenvalues;
//! use probes::learner::{Epochs, WithProbes, last_checkpoint};
//! use probes::{Probes, Schedule};
//! # type Batch = [Tensor<2>; 2];
//! # #[derive(Module, Debug)]
//! # struct Model { layer: Linear }
//! # impl Model {
//! #     fn regress(&self, [x, y]: Batch) -> RegressionOutput {
//! #         let output = self.layer.forward(x);
//! #         let loss = MseLoss::new().forward(output.clone(), y.clone(), Reduction::Mean);
//! #         RegressionOutput::new(loss, output, y)
//! #     }
//! # }
//! # impl TrainStep for Model {
//! #     type Input = Batch;
//! #     type Output = RegressionOutput;
//! #     fn step(&self, batch: Batch) -> TrainOutput<RegressionOutput> {
//! #         let item = self.regress(batch);
//! #         TrainOutput::new(self, item.loss.backward(), item)
//! #     }
//! # }
//! # impl InferenceStep for Model {
//! #     type Input = Batch;
//! #     type Output = RegressionOutput;
//! #     fn step(&self, batch: Batch) -> RegressionOutput { self.regress(batch) }
//! # }
//! # type Data = Arc<dyn DataLoader<Batch>>;
//! # fn train(train: Data, valid: Data, sample: Vec<Tensor<2>>) -> Result<(), probes::Error> {
//! # let (num_epochs, batch_size) = (5, 64);
//! # let model = Model { layer: LinearConfig::new(2, 1).init(&Device::default().autodiff()) };
//! # let loss = |m: &Model, x: &Tensor<2>| m.layer.forward(x.clone()).square().mean();
//! # let risk = Risk::mean(&sample, loss);
//!
//! let checkpoint = last_checkpoint("runs/mine");
//! let epochs = Epochs::new(num_epochs, train.num_items(), batch_size).after(checkpoint);
//! let probes = Probes::new()
//!     .with(Schedule::log_spaced(8), TopEigenvalues::of(&risk, 1))
//!     .with_sink(epochs.tensor_board("runs/mine/tensorboard")?);
//! let model = WithProbes::new(model, probes, epochs);
//!
//! let mut training = SupervisedTraining::new("runs/mine", train, valid)
//!     .metrics((LossMetric::new(),))
//!     .with_metric_logger(model.metrics("runs/mine"))
//!     .with_default_checkpointers()
//!     .num_epochs(num_epochs);
//! if let Some(epoch) = checkpoint {
//!     training = training.checkpoint(epoch);
//! }
//! let result = training.launch(Learner::new(model, AdamConfig::new().init(), 1e-3));
//! let (model, summary) = result.model.finish();
//! # let _ = (model, summary);
//! # Ok(())
//! # }
//! ```
//!
//! With SAM, `WithProbes::new(WithSam::new(model, method)?, probes, epochs)` measures the same
//! model, and [`WithProbes::with_scalars`] shows what SAM has seen at each step.
//!
//! This module needs the feature `train`.

mod checkpoint;
mod epochs;
mod metrics;
mod watch;
mod with_probes;

pub use checkpoint::last_checkpoint;
pub use epochs::Epochs;
pub use metrics::Metrics;
pub use with_probes::WithProbes;
