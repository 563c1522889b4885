//! A model that knows nothing of the method, in a learner and beside hand-written loops.

use std::fmt::Debug;
use std::path::Path;

use burn::module::{Module, Param, ParamGroup};
use burn::optim::{AdamConfig, ModuleOptimizer, SgdConfig};
use burn::store::ModuleRecord;
use burn::tensor::{DType, Device, ExecutionError, Tensor};
use burn::train::metric::{Adaptor, ItemLazy, LossInput};
use burn::train::{InferenceStep, TrainOutput, TrainStep};
use sam::{
    Error, FriendlySamConfig, GsamConfig, LookSamConfig, MicroBatchSamConfig, Perturbed,
    RhoSchedule, Rule, SamConfig, SharpnessAware, WithSam,
};

use crate::learner::model::{Training, all_bits, rows, schedule};
use crate::steps::nets::{Batch, DTYPES, Normalised, bits, flat};

/// The loss of a batch, all that the learner's metrics get.
pub(crate) struct Output(Tensor<1>);

impl ItemLazy for Output {
    fn sync(self) -> Result<Self, ExecutionError> {
        Ok(self)
    }
}

impl Adaptor<LossInput> for Output {
    fn adapt(&self) -> LossInput {
        LossInput::new(self.0.clone())
    }
}

impl TrainStep for Normalised {
    type Input = Batch;
    type Output = Output;

    fn step(&self, batch: Batch) -> TrainOutput<Output> {
        let loss = self.loss(&batch);
        TrainOutput::new(self, loss.backward(), Output(loss))
    }
}

impl InferenceStep for Normalised {
    type Input = Batch;
    type Output = Output;

    fn step(&self, batch: Batch) -> Output {
        Output(self.loss(&batch))
    }
}

fn optimiser(dtype: DType) -> ModuleOptimizer {
    // Burn 0.22.1 reads the tensors of an optimiser's record in the device's own type.
    match dtype {
        DType::F64 => SgdConfig::new().init(),
        _ => AdamConfig::new().init(),
    }
}

fn with<R: Rule>(
    net: Normalised,
    method: &SharpnessAware<R>,
) -> WithSam<Normalised, SharpnessAware<R>> {
    WithSam::new(net, method.clone()).expect("a network that can be trained")
}

fn is_a_hand_written_loop<R: Rule + 'static>(method: &SharpnessAware<R>, dtype: DType) {
    let device = Device::flex().autodiff();
    let directory = tempfile::tempdir().expect("a folder");
    let mut rows = rows(44);
    // A batch of each epoch cannot be trained on.
    rows[18].inputs[2] = f64::NAN;
    let training = Training::new(rows, dtype, directory.path());
    let net = || Normalised::new(1, &device, dtype);
    let learnt = training.run(with(net(), method), optimiser(dtype), schedule());

    let (mut method, mut model, mut optim) = (method.clone(), net(), optimiser(dtype));
    let (mut schedule, mut last, mut refused) = (schedule(), Vec::new(), 0);
    for _ in 0..training.epochs {
        for batch in training.batches(&device) {
            let lr = schedule.step();
            model = match method.step(&mut optim, lr, model, |m| m.loss(&batch)) {
                Ok(step) => {
                    last = step.measured.scalars().collect();
                    step.model
                }
                Err(rejected) => {
                    refused += 1;
                    rejected.model
                }
            };
        }
    }
    assert_eq!(all_bits(learnt.model()), all_bits(&model), "{dtype:?}");
    assert_eq!((learnt.steps(), learnt.refused()), (15, refused));
    assert!(!last.is_empty() && learnt.scalars() == last);
}

#[test]
fn model_with_a_method_in_a_learner_is_trained_as_in_a_loop_bit_for_bit() {
    let follows = RhoSchedule::Proportional { lr_max: 0.1 };
    for dtype in DTYPES {
        is_a_hand_written_loop(&SamConfig::new().init().expect("settings in range"), dtype);
        is_a_hand_written_loop(
            &SamConfig::new()
                .with_ascent_steps(2)
                .init()
                .expect("settings in range"),
            dtype,
        );
        is_a_hand_written_loop(
            &LookSamConfig::new()
                .with_k(4)
                .init()
                .expect("settings in range"),
            dtype,
        );
        is_a_hand_written_loop(
            &FriendlySamConfig::new().init().expect("settings in range"),
            dtype,
        );
    }
    // The radius follows the rate of the step before, so that a constant rate has to do here.
    let device = Device::flex().autodiff();
    let net = Normalised::new(1, &device, DType::F64);
    let model = with(
        net.clone(),
        &GsamConfig::new()
            .with_schedule(follows)
            .init()
            .expect("settings in range"),
    );
    let model = model.optimize(
        &mut SgdConfig::new().init(),
        0.05.into(),
        burn::optim::GradientsParams::new(),
    );
    let _ = TrainStep::step(&model, Batch::new(2, &device, DType::F64));
    let half = GsamConfig::new().init().expect("settings in range").rho() / 2.0;
    let rho = model
        .scalars()
        .into_iter()
        .find(|(tag, _)| *tag == "sam/rho");
    assert!((rho.expect("a radius").1 - half).abs() < 1e-15);
}

fn paths(record: ModuleRecord) -> Vec<String> {
    let bytes = record.into_bytes().expect("written");
    let reader = burn_pack::Reader::from_bytes(bytes).expect("read");
    let tensors = reader.into_tensors().expect("read");
    let path = |tensor: burn_pack::Tensor| tensor.into_parts().expect("the bytes are there").0;
    tensors.into_iter().map(path).collect()
}

#[test]
fn records_are_those_of_the_model_alone_unless_a_later_step_needs_more() {
    let device = Device::flex().autodiff();
    let net = Normalised::new(1, &device, DType::F32);
    let own = paths(net.clone().into_record());
    let other = Normalised::new(2, &device, DType::F32);

    let model = with(
        net.clone(),
        &SamConfig::new().init().expect("settings in range"),
    );
    assert_eq!(paths(model.clone().into_record()), own);
    assert_eq!(model.num_params(), net.num_params());
    assert_eq!(model.to_string(), net.to_string());
    let loaded = model.load_record(other.clone().into_record());
    assert_eq!(bits(&flat(loaded.model())), bits(&flat(&other)));
    let back = net.clone().load_record(loaded.into_record());
    assert_eq!(bits(&flat(&back)), bits(&flat(&other)));

    let model = with(
        net,
        &LookSamConfig::new().init().expect("settings in range"),
    );
    let more = ["sam.carried", "sam.numbers"].map(String::from);
    assert_eq!(paths(model.into_record()), [own, more.to_vec()].concat());
}

fn resumes<R: Rule + 'static>(method: &SharpnessAware<R>, dtype: DType) {
    let device = Device::flex().autodiff();
    let train = |seed, directory: &Path, epochs, checkpoint| {
        let training = Training {
            epochs,
            checkpoint,
            ..Training::new(rows(44), dtype, directory)
        };
        let net = Normalised::new(seed, &device, dtype);
        training.run(with(net, method), optimiser(dtype), schedule())
    };
    let (whole, parts) = (tempfile::tempdir(), tempfile::tempdir());
    let (whole, parts) = (whole.expect("a folder"), parts.expect("a folder"));
    let uninterrupted = train(1, whole.path(), 4, None);
    train(1, parts.path(), 2, None);
    let resumed = train(2, parts.path(), 4, Some(2));
    assert_eq!(all_bits(resumed.model()), all_bits(uninterrupted.model()));
    assert_eq!(bits(&flat(&resumed)), bits(&flat(&uninterrupted)));
}

#[test]
fn model_with_a_method_goes_on_from_the_learners_checkpoint_bit_for_bit() {
    let schedule = RhoSchedule::Cosine {
        end: 0.01,
        steps: 20,
    };
    for dtype in DTYPES {
        resumes(&SamConfig::new().init().expect("settings in range"), dtype);
        resumes(
            &SamConfig::new()
                .with_schedule(schedule)
                .init()
                .expect("settings in range"),
            dtype,
        );
        resumes(
            &LookSamConfig::new()
                .with_k(5)
                .init()
                .expect("settings in range"),
            dtype,
        );
        resumes(
            &FriendlySamConfig::new().init().expect("settings in range"),
            dtype,
        );
    }
}

#[test]
fn checkpoint_of_a_training_without_a_method_is_gone_on_from_with_one() {
    let device = Device::flex().autodiff();
    let (dtype, directory) = (DType::F32, tempfile::tempdir().expect("a folder"));
    let first = Training {
        epochs: 2,
        ..Training::new(rows(44), dtype, directory.path())
    };
    let net = || Normalised::new(1, &device, dtype);
    first.run(net(), optimiser(dtype), schedule());
    let second = Training {
        epochs: 3,
        checkpoint: Some(2),
        ..Training::new(rows(44), dtype, directory.path())
    };
    let mut method = SamConfig::new().init().expect("settings in range");
    let other = with(Normalised::new(2, &device, dtype), &method);
    let learnt = second.run(other, optimiser(dtype), schedule());

    let (mut model, mut optim, mut schedule) = (net(), optimiser(dtype), schedule());
    for epoch in 0..3 {
        for batch in second.batches(&device) {
            let lr = schedule.step();
            model = if epoch < 2 {
                let gradients = crate::steps::nets::gradients(&model, model.loss(&batch));
                optim.step(lr, model, gradients)
            } else {
                let step = method.step(&mut optim, lr, model, |m| m.loss(&batch));
                step.expect("everything is finite").model
            };
        }
    }
    assert_eq!(all_bits(learnt.model()), all_bits(&model));
}

#[test]
fn mistakes_are_errors_before_the_training() {
    let device = Device::flex().autodiff();
    let net = Normalised::new(1, &device, DType::F32);
    let error = |net: &Normalised, config: SamConfig| {
        let method = config.init().expect("settings in range");
        let model = WithSam::new(net.clone(), method);
        model.map(|_| ()).expect_err("a mistake")
    };
    let misspelt = Perturbed::Group(ParamGroup::from_path("hidden.weights"));
    let chooses = error(&net, SamConfig::new().with_perturbed(misspelt));
    assert!(matches!(chooses, Error::ChoosesNothing { .. }), "{chooses}");
    assert_eq!(
        error(&net.clone().freeze(), SamConfig::new()),
        Error::Frozen
    );
    assert_eq!(error(&net.valid(), SamConfig::new()), Error::NoAutodiff);
    let micro = WithSam::new(
        net,
        MicroBatchSamConfig::new(4)
            .init()
            .expect("settings in range"),
    );
    assert_eq!(micro.map(|_| ()), Err(Error::ExamplesNotApart));
}

/// L = |first * second - x|^2 with one parameter in both places.
#[derive(Module, Debug)]
struct Tied {
    first: Param<Tensor<1>>,
    second: Param<Tensor<1>>,
}

impl Tied {
    fn loss(&self, batch: &Batch) -> Tensor<1> {
        let x = batch.inputs.clone().mean_dim(0).reshape([6]);
        (self.first.val() * self.second.val() - x).square().sum()
    }
}

impl TrainStep for Tied {
    type Input = Batch;
    type Output = Output;

    fn step(&self, batch: Batch) -> TrainOutput<Output> {
        let loss = self.loss(&batch);
        TrainOutput::new(self, loss.backward(), Output(loss))
    }
}

impl InferenceStep for Tied {
    type Input = Batch;
    type Output = Output;

    fn step(&self, batch: Batch) -> Output {
        Output(self.loss(&batch))
    }
}

#[test]
fn tied_parameter_stays_one_without_a_line_of_the_models() {
    let device = Device::flex().autodiff();
    let (dtype, directory) = (DType::F32, tempfile::tempdir().expect("a folder"));
    let training = Training::new(rows(44), dtype, directory.path());
    let first = Param::from_data([2.0, -0.5, 0.3, 1.0, 0.7, -0.2], &device);
    let second = first.clone();
    let net = Tied { first, second };
    let mut method = SamConfig::new().init().expect("settings in range");
    let model = WithSam::new(net.clone(), method.clone()).expect("a model");
    let learnt = training.run(model, AdamConfig::new().init(), schedule());

    let (mut model, mut schedule) = (net, schedule());
    let mut optim = AdamConfig::new().init();
    for _ in 0..training.epochs {
        for batch in training.batches(&device) {
            let lr = schedule.step();
            let step = method.step(&mut optim, lr, model, |m| m.loss(&batch));
            model = step.expect("everything is finite").model;
        }
    }
    let w = flat(&model);
    assert_eq!(w[..6], w[6..]);
    assert_eq!(bits(&flat(learnt.model())), bits(&w));
}

#[test]
#[should_panic(expected = "the method cannot step: `out.weight` has an entry that is not finite")]
fn weights_that_are_lost_end_the_training_with_their_path() {
    let device = Device::flex().autodiff();
    let mut net = Normalised::new(1, &device, DType::F64);
    net.out.weight = net
        .out
        .weight
        .map(|w| Tensor::from_inner(w.inner() * f64::NAN).require_grad());
    let model = with(net, &SamConfig::new().init().expect("settings in range"));
    let _ = TrainStep::step(&model, Batch::new(2, &device, DType::F64));
}
