//! What cannot be captured, and the error it gives.

use burn::module::{Module, Param, ParamId};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Distribution, Tensor};
use derivatives::{Capture, Error};

use crate::harness::capture;

#[derive(Module, Debug)]
struct Twice {
    first: Linear,
    second: Linear,
}

fn works() {
    let loss = capture(3, |x| x.square()).expect("later captures work");
    assert!(loss.value(&loss.origin()).expect("a value").is_finite());
}

#[test]
fn a_closure_that_reads_data_is_an_error_and_later_captures_work() {
    let error = capture(3, |x| {
        let sum: f64 = x.clone().sum().into_scalar();
        x * sum
    });
    assert!(matches!(error, Err(Error::ReadsData { .. })), "{error:?}");
    works();
}

#[test]
fn a_closure_that_panics_is_an_error_with_its_message() {
    let error = capture(3, |_| -> Tensor<1> { panic!("of its own accord") });
    let Err(Error::Panicked { message }) = error else {
        panic!("{error:?}")
    };
    assert_eq!(message, "of its own accord");
    works();
}

#[test]
fn random_numbers_are_an_error() {
    let error = capture(3, |x| x.clone() + x.random_like(Distribution::Default));
    assert!(matches!(error, Err(Error::Random { .. })), "{error:?}");
    works();
}

#[test]
fn a_loss_that_is_not_one_number_is_an_error() {
    let model = LinearConfig::new(2, 3).init(&Device::flex());
    let error = Capture::of(&model).loss(|model: &Linear, device| {
        model
            .forward(Tensor::<2>::ones([1, 2], device))
            .reshape([3])
    });
    assert_eq!(error.err(), Some(Error::LossNotScalar { shape: vec![3] }));
}

#[test]
fn a_loss_without_parameters_is_an_error() {
    let model = LinearConfig::new(2, 3).init(&Device::flex());
    let error = Capture::of(&model)
        .loss(|_: &Linear, device| Tensor::<1>::ones([1], device))
        .err();
    assert_eq!(error, Some(Error::Disconnected));
    let frozen = model.no_grad();
    let error = Capture::of(&frozen)
        .loss(|model: &Linear, _| model.weight.val().sum())
        .err();
    assert_eq!(error, Some(Error::NoTrainableParameter));
}

#[test]
fn a_loss_that_ignores_the_device_is_an_error() {
    let model = LinearConfig::new(2, 3).init(&Device::flex());
    let error = Capture::of(&model)
        .loss(|_: &Linear, _| Tensor::<1>::ones([1], &Device::flex()))
        .err();
    assert_eq!(error, Some(Error::NotCaptured { what: "loss" }));
}

#[test]
fn an_operation_without_a_rule_is_named() {
    let error = capture(32, |x| {
        let image: Tensor<4> = x.clone().slice_dim(0, 0..16).reshape([1, 1, 4, 4]);
        let grid: Tensor<4> = x.slice_dim(0, 16..24).reshape([1, 2, 2, 2]);
        image.grid_sample_2d(grid, burn::tensor::ops::GridSampleOptions::default())
    });
    let Err(Error::Unsupported { operation, .. }) = error else {
        panic!("{error:?}")
    };
    assert_eq!(operation, "GridSample2d");
    works();
}

/// The loss is $(w^2)$ with the weight in two layers: $H = 2$, not 0.
#[test]
fn a_shared_parameter_is_one_input() {
    let device = Device::flex();
    let id = ParamId::new();
    let linear = || Linear {
        weight: Param::initialized(
            id,
            Tensor::<2>::full([1, 1], 3.0, &device).require_grad_here(),
        ),
        bias: None,
    };
    let model = Twice {
        first: linear(),
        second: linear(),
    };
    let loss = Capture::of(&model)
        .with_parameters([id])
        .loss(|model: &Twice, device| {
            let x = model.first.forward(Tensor::<2>::ones([1, 1], device));
            model.second.forward(x).sum()
        })
        .expect("a capture");
    assert_eq!(loss.dim(), 1);
    let theta = loss.origin();
    let one = Tensor::<1>::ones([1], &device);
    let (value, gradient) = loss.gradient(&theta).expect("a gradient");
    let gradient: f32 = gradient.into_scalar();
    let product: f32 = loss.hessian_vector(&theta, &one).expect("Hv").into_scalar();
    assert_eq!((value, gradient, product), (9.0, 6.0, 2.0));
}

trait Here {
    fn require_grad_here(self) -> Self;
}

impl Here for Tensor<2> {
    fn require_grad_here(self) -> Self {
        self
    }
}
