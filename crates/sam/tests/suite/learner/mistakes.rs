//! What would train nothing in a learner is an error there, and tied parameters stay one.

use burn::module::{Module, Param, ParamGroup};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{ModuleOptimizer, SgdConfig};
use burn::tensor::{DType, Device, Tensor};
use sam::{
    Error, FriendlySamConfig, InLearner, LookSamConfig, MicroBatchSamConfig, Pass, Perturbed, Rule,
    Sam, SamConfig, SharpnessAware,
};

use crate::learner::model::{Trained, all_bits};
use crate::steps::nets::{Batch, Normalised, bits, flat};

fn trained(config: &SamConfig) -> (Trained<Sam>, Batch) {
    let device = Device::flex().autodiff();
    let net = Normalised::new(1, &device, DType::F64);
    let batch = Batch::new(2, &device, DType::F64);
    (
        Trained::new(config.init().expect("settings in range"), net),
        batch,
    )
}

#[test]
fn closure_that_uses_self_in_place_of_its_argument_is_an_error_of_every_step() {
    let (model, batch) = trained(&SamConfig::new());
    let before = all_bits(&model.net);
    for number in 1..4 {
        let refused = model.sam.step(&model, |_| (model.net.loss(&batch), ()));
        let Err(Error::OtherModel { pass, path }) = refused else {
            panic!("a closure that trains nothing is refused: {refused:?}");
        };
        assert_eq!((pass, path.as_str()), (Pass::Peak, "net.hidden.weight"));
        assert_eq!((model.sam.steps(), model.sam.refused()), (0, number));
    }
    assert_eq!(all_bits(&model.net), before, "running statistics included");
    let (step, examples) = (1..=32, 32);
    for _ in step {
        let refused = model.sam.step_examples(&model, examples, |_, rows| {
            let count = rows.indices().map_or(examples, <[usize]>::len);
            (model.net.loss(&batch).expand([count]), ())
        });
        assert!(matches!(refused, Err(Error::OtherModel { .. })));
    }
}

#[test]
fn selection_that_chooses_nothing_and_a_method_that_needs_examples_are_errors() {
    let misspelt = Perturbed::Group(ParamGroup::from_path("net.hidden.weights"));
    let (model, batch) = trained(&SamConfig::new().with_perturbed(misspelt));
    let refused = model.sam.step(&model, |m| (m.net.loss(&batch), ()));
    assert!(
        matches!(refused, Err(Error::ChoosesNothing { .. })),
        "{refused:?}"
    );
    let micro = InLearner::new(
        MicroBatchSamConfig::new(4)
            .init()
            .expect("settings in range"),
        &model.net,
    );
    let refused = micro.step(&model.net, |m| (m.loss(&batch), ()));
    assert_eq!(refused.err(), Some(Error::ExamplesNotApart));
    let refused = micro.step_examples(&model.net, 32, |m, _| (m.loss(&batch), ()));
    let (given, wanted) = (1, 4);
    assert_eq!(refused.err(), Some(Error::Losses { given, wanted }));
    assert_eq!((micro.steps(), micro.refused()), (0, 2));
}

#[test]
fn weights_that_are_lost_are_no_fault_of_a_batch() {
    let (mut model, batch) = trained(&SamConfig::new());
    let poisoned = batch.inputs.clone() * f64::NAN;
    let bad = Batch {
        inputs: poisoned,
        labels: batch.labels.clone(),
    };
    let step = model.sam.step(&model, |m| (m.net.loss(&bad), ()));
    let refused = step.expect("the next batch may be good").measured.err();
    assert!(matches!(refused, Some(Error::Loss { .. })));
    let weight = model.net.out.weight.clone();
    model.net.out.weight = weight.map(|w| Tensor::from_inner(w.inner() * f64::NAN).require_grad());
    let refused = model.sam.step(&model, |m| (m.net.loss(&batch), ()));
    let Err(Error::Weight { path }) = refused else {
        panic!("no batch mends that: {refused:?}");
    };
    assert_eq!(path, "net.out.weight");
}

/// L = |first * second|^2 with one parameter in both places.
#[derive(Module, Debug)]
struct Tied<A> {
    first: Param<Tensor<1>>,
    second: Param<Tensor<1>>,
    sam: A,
}

type TiedInLearner<S> = Tied<InLearner<S>>;

fn loss(first: &Param<Tensor<1>>, second: &Param<Tensor<1>>) -> Tensor<1> {
    (first.val() * second.val() - 1.0).square().sum()
}

#[derive(Module, Debug)]
struct Pair {
    first: Param<Tensor<1>>,
    second: Param<Tensor<1>>,
}

fn pair() -> Pair {
    let device = Device::flex().autodiff();
    let first = Param::from_tensor(Tensor::from_data([2.0, -0.5, 0.3], (&device, DType::F64)));
    let second = first.clone();
    Pair { first, second }
}

fn optimiser() -> ModuleOptimizer {
    let momentum = MomentumConfig::new().with_momentum(0.9);
    SgdConfig::new().with_momentum(Some(momentum)).init()
}

fn is_a_hand_written_loop<R: Rule>(mut method: SharpnessAware<R>) {
    let net = pair();
    let sam = InLearner::new(method.clone(), &net);
    let (first, second) = (net.first.clone(), net.second.clone());
    let mut learnt: TiedInLearner<SharpnessAware<R>> = Tied { first, second, sam };
    let (mut optim, mut by_hand, mut net) = (optimiser(), optimiser(), net);
    for number in 0..6 {
        if number == 3 {
            // Back from a checkpoint, where each place is read by itself.
            let bytes = learnt.clone().into_record().into_bytes().expect("written");
            let record = burn::store::ModuleRecord::from_bytes(bytes).expect("read");
            learnt = learnt.load_record(record);
        }
        let step = learnt
            .sam
            .step(&learnt, |m| (loss(&m.first, &m.second), ()));
        let gradients = step.expect("a step").gradients;
        learnt = sam::tie(optim.step(0.01, learnt, gradients));
        net = method
            .step(&mut by_hand, 0.01, net, |m| loss(&m.first, &m.second))
            .expect("a step")
            .model;
        let w = flat(&net);
        assert_eq!(w[..3], w[3..]);
        assert_eq!(bits(&flat(&learnt)[..6]), bits(&w), "step {number}");
    }
    assert_eq!(learnt.sam.steps(), 6);
}

#[test]
fn tied_parameter_in_a_learner_is_trained_as_in_a_hand_written_loop() {
    is_a_hand_written_loop(SamConfig::new().init().expect("settings in range"));
    is_a_hand_written_loop(FriendlySamConfig::new().init().expect("settings in range"));
    is_a_hand_written_loop(
        LookSamConfig::new()
            .with_k(2)
            .init()
            .expect("settings in range"),
    );
}

#[test]
fn learner_that_does_not_tie_is_told_at_its_second_step() {
    let net = pair();
    let sam = InLearner::new(SamConfig::new().init().expect("settings in range"), &net);
    let Pair { first, second } = net;
    let model = Tied { first, second, sam };
    let step = model.sam.step(&model, |m| (loss(&m.first, &m.second), ()));
    let gradients = step.expect("the places are equal").gradients;
    let model = optimiser().step(0.01, model, gradients);
    let refused = model.sam.step(&model, |m| (loss(&m.first, &m.second), ()));
    let said = refused.map(|_| ()).expect_err("torn").to_string();
    assert!(
        said.contains("`first` and `second`") && said.contains("sam::tie"),
        "{said}"
    );
    assert_eq!(model.sam.refused(), 1);
}
