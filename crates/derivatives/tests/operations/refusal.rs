//! Losses that cannot be captured, and the errors they give.

use burn::module::{Module, Param, ParamId};
use burn::nn::loss::{PoissonNllLossConfig, Reduction};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::quantization::QuantScheme;
use burn::tensor::{Device, Distribution, Int, Tensor};
use derivatives::{Capture, Error};

use super::harness::{capture, device, limits};

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
    assert!(matches!(error, Err(Error::ReadsData)), "{error:?}");
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
    let model = LinearConfig::new(2, 3).init(&device());
    let error = Capture::of(&model).loss(|model: &Linear, device| {
        model
            .forward(Tensor::<2>::ones([1, 2], device))
            .reshape([3])
    });
    assert_eq!(error.err(), Some(Error::LossNotScalar { shape: vec![3] }));
}

#[test]
fn a_loss_without_parameters_is_an_error() {
    let model = LinearConfig::new(2, 3).init(&device());
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
    let model = LinearConfig::new(2, 3).init(&device());
    let error = Capture::of(&model)
        .loss(|_: &Linear, _| Tensor::<1>::ones([1], &device()))
        .err();
    assert_eq!(error, Some(Error::NotCaptured { what: "loss" }));
}

/// Burn records no quantisation of the API either: it panics.
#[test]
fn quantised_tensors_are_an_error() {
    let error = capture(32, |x| {
        let scheme = QuantScheme::default();
        x.clone() + x.quantize_dynamic(&scheme).dequantize()
    });
    assert!(matches!(error, Err(Error::Panicked { .. })), "{error:?}");
    works();
}

#[test]
fn losses_of_burn_that_read_data_are_errors() {
    let targets = |device: &Device| Tensor::<1>::ones([3], device);
    let error = capture(3, |x| {
        let targets = targets(&x.device());
        PoissonNllLossConfig::new()
            .init()
            .forward(x, targets, Reduction::Mean)
    });
    assert!(matches!(error, Err(Error::ReadsData)), "{error:?}");
    let error = capture(3, |x| {
        let classes = Tensor::<1, Int>::from_data([0, 2, 1], &x.device());
        let chosen: Tensor<2> = classes.one_hot(3).float();
        x.reshape([1, 3]).matmul(chosen)
    });
    assert!(matches!(error, Err(Error::ReadsData)), "{error:?}");
    works();
}

/// A parameter that is initialised at its first use is initialised before it is recorded.
#[test]
fn lazy_parameters_are_captured_as_numbers() {
    let device = device();
    let model = LinearConfig::new(3, 2).init(&device);
    let loss = Capture::of(&model)
        .loss(|model: &Linear, _| model.weight.val().square().sum())
        .expect("a capture");
    let weight: Vec<f64> = model.weight.val().into_data().iter::<f64>().collect();
    let value = loss.value(&loss.origin()).expect("a value");
    let square: f64 = weight.iter().map(|x| x * x).sum();
    assert!(
        square > 0.0 && (value - square).abs() < limits().itself,
        "{value}"
    );
}

/// The loss is `w²` with the weight in two layers: `H = 2`, not 0.
#[test]
fn a_shared_parameter_is_one_input() {
    let device = device();
    let id = ParamId::new();
    let linear = || Linear {
        weight: Param::initialized(id, Tensor::<2>::full([1, 1], 3.0, &device)),
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
    let gradient: f64 = gradient.into_scalar();
    let product: f64 = loss.hessian_vector(&theta, &one).expect("Hv").into_scalar();
    assert_eq!((value, gradient, product), (9.0, 6.0, 2.0));
}
