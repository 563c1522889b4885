//! What cannot be captured: the right error, or the same number by differences that say why.

use burn::module::{Module, Param};
use burn::nn::loss::{PoissonNllLossConfig, Reduction as LossReduction};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::quantization::QuantScheme;
use burn::tensor::{
    DType, Device, Distribution, FloatDType, Int, Tensor, TensorData, activation::log_softmax,
};
use landscape::download;
use landscape::{Error, Hessian, LinearOperator, Method, Risk};

type Batch = (Tensor<2>, Tensor<1, Int>);

/// Three inputs, two outputs, in f64.
fn model() -> Linear {
    let device = Device::flex();
    let mut linear = LinearConfig::new(3, 2).init(&device);
    let weight = TensorData::from([[0.3, -0.2], [0.1, 0.4], [-0.5, 0.2]]);
    linear.weight = Param::from_tensor(Tensor::from_data(weight, (&device, DType::F64)));
    let bias = TensorData::from([0.1, -0.1]);
    linear.bias = Some(Param::from_tensor(Tensor::from_data(
        bias,
        (&device, DType::F64),
    )));
    linear
}

fn batch() -> Batch {
    let device = Device::flex();
    let x = TensorData::from([
        [0.1, -0.4, 0.8],
        [1.0, 0.3, -0.2],
        [-0.7, 0.5, 0.6],
        [0.2, 0.9, -0.3],
    ]);
    (
        Tensor::from_data(x, (&device, DType::F64)),
        Tensor::from_data(TensorData::from([0_i64, 1, 1, 0]), (&device, DType::I64)),
    )
}

fn product(hessian: &Hessian<Linear, Batch>) -> Vec<f64> {
    let v = hessian
        .domain()
        .upload(&[1.0, -2.0, 0.5, 1.5, -1.0, 0.25, 2.0, -0.5])
        .expect("eight entries");
    download(&hessian.apply(&v).expect("a product"))
}

/// The Hessian of `loss` is by differences for a reason that has these words, and equals the exact
/// one of `twin`, the same function written so that it can be captured.
fn assert_falls_back(
    because: &str,
    loss: impl Fn(&Linear, &Batch) -> Tensor<1> + Send + Sync + 'static,
    twin: impl Fn(&Linear, &Batch) -> Tensor<1> + Send + Sync + 'static,
) {
    let hessian = Hessian::at(&model(), &Risk::mean([batch()], loss)).expect("a Hessian");
    let method = hessian.method().to_string();
    assert!(method.starts_with("central difference"), "{method}");
    assert!(method.contains(because), "{method}");
    let exact = Hessian::at(&model(), &Risk::mean([batch()], twin)).expect("a later capture");
    assert!(matches!(exact.method(), Method::Exact { .. }));
    let (ours, theirs) = (product(&hessian), product(&exact));
    let size = theirs.iter().fold(0.0_f64, |size, x| size.max(x.abs()));
    for (ours, theirs) in ours.iter().zip(&theirs) {
        // A difference of f64 gradients: the root of the rounding.
        assert!((ours - theirs).abs() < 1e-6 * size, "{ours} {theirs}");
    }
}

/// Mean loss of a Poisson regression on counts made of the classes.
fn rates(model: &Linear, (x, y): &Batch) -> (Tensor<2>, Tensor<2>) {
    let rates = model.forward(x.clone());
    let counts = y.clone().reshape([-1, 1]).expand([4, 2]);
    (rates, counts.cast(FloatDType::F64))
}

#[test]
fn poisson_loss_reads_its_targets_and_is_measured_by_differences() {
    assert_falls_back(
        "reads data",
        |model, batch| {
            let (rates, counts) = rates(model, batch);
            PoissonNllLossConfig::new()
                .init()
                .forward(rates, counts, LossReduction::Mean)
        },
        |model, batch| {
            let (rates, counts) = rates(model, batch);
            (rates.clone().exp() - counts * rates).mean()
        },
    );
}

#[test]
fn one_hot_classes_are_read_and_measured_by_differences() {
    assert_falls_back(
        "reads data",
        |model, (x, y)| {
            let chosen: Tensor<2> = y.clone().one_hot(2).float().cast(FloatDType::F64);
            (log_softmax(model.forward(x.clone()), 1) * chosen)
                .sum_dim(1)
                .mean()
                .neg()
        },
        |model, (x, y)| {
            log_softmax(model.forward(x.clone()), 1)
                .gather(1, y.clone().reshape([-1, 1]))
                .mean()
                .neg()
        },
    );
}

#[test]
fn closure_that_reads_a_number_is_measured_by_differences() {
    assert_falls_back(
        "reads data",
        |model, (x, _)| {
            let scale: f64 = x.clone().mean().into_scalar();
            model.forward(x.clone()).square().mean() * scale
        },
        |model, (x, _)| model.forward(x.clone()).square().mean() * x.clone().mean(),
    );
}

/// A batch that is quantised in the closure is a constant, but Burn records no quantisation.
#[test]
fn quantised_batch_is_measured_by_differences() {
    let coarse = |x: &Tensor<2>| {
        let x = x.clone().without_autodiff().cast(FloatDType::F32);
        let scheme = QuantScheme::default();
        x.quantize_dynamic(&scheme)
            .dequantize()
            .cast(FloatDType::F64)
    };
    assert_falls_back(
        "panicked while it was captured",
        move |model, (x, _)| {
            let coarse = coarse(x);
            let coarse = if x.device().is_autodiff() {
                Tensor::from_inner(coarse)
            } else {
                coarse
            };
            model.forward(coarse).square().mean()
        },
        move |model, (x, _)| {
            let plain =
                Tensor::<2>::from_data(batch().0.into_data(), (&Device::flex(), DType::F64));
            let data = coarse(&plain).into_data();
            let coarse = Tensor::<2>::from_data(data, (&x.device(), DType::F64));
            model.forward(coarse).square().mean()
        },
    );
}

fn refused(loss: impl Fn(&Linear, &Batch) -> Tensor<1> + Send + Sync + 'static) -> Error {
    let risk = Risk::mean([batch()], loss).without_reduction_check();
    Hessian::at(&model(), &risk).expect_err("no Hessian")
}

#[test]
fn random_losses_have_no_hessian_of_either_kind() {
    let error = refused(|model, (x, _)| {
        let outputs = model.forward(x.clone());
        (outputs.clone() * outputs.random_like(Distribution::Default)).mean()
    });
    assert!(
        matches!(error, Error::Derivatives(derivatives::Error::Random { .. })),
        "{error}"
    );
}

#[test]
fn half_precision_inside_a_loss_is_an_error_that_names_the_place() {
    let error = refused(|model, (x, _)| {
        let narrow = model.forward(x.clone()).cast(FloatDType::F16);
        narrow.square().mean().cast(FloatDType::F64)
    });
    let message = error.to_string();
    assert!(message.contains("F16"), "{message}");
    assert!(message.contains("near `"), "{message}");
}

#[test]
fn half_precision_of_a_parameter_is_an_error_that_names_it() {
    let mut model = model();
    let weight = model.weight.val().cast(FloatDType::BF16);
    model.weight = Param::from_tensor(weight);
    let risk = Risk::mean([batch()], |model: &Linear, (x, _): &Batch| {
        model.forward(x.clone()).square().mean()
    });
    let error = Hessian::at(&model, &risk).expect_err("no Hessian");
    let message = error.to_string();
    assert!(
        message.contains("`weight`") && message.contains("BF16"),
        "{message}"
    );
}

#[test]
fn losses_without_a_derivative_are_errors() {
    let several = refused(|model, (x, _)| model.forward(x.clone()).square().reshape([-1]));
    assert!(
        matches!(
            several,
            Error::Derivatives(derivatives::Error::LossNotScalar { .. })
        ),
        "{several}"
    );
    let apart = refused(|_, (x, _)| x.clone().mean());
    assert!(
        matches!(
            apart,
            Error::Disconnected { .. } | Error::Derivatives(derivatives::Error::Disconnected)
        ),
        "{apart}"
    );
    let risk = Risk::mean([batch()], |model: &Linear, (x, _): &Batch| {
        model.forward(x.clone()).square().mean()
    });
    let frozen = Hessian::at(&model().no_grad(), &risk).expect_err("nothing to differentiate by");
    assert_eq!(frozen, Error::NoTrainableParameter { frozen: 2 });
    assert!(matches!(
        Hessian::at(&model(), &risk).expect("a Hessian").method(),
        Method::Exact { .. }
    ));
}

/// A parameter that is initialised at its first use is initialised before it is measured.
#[test]
fn lazy_parameters_are_measured_exactly() {
    let device = Device::flex();
    let model = LinearConfig::new(3, 2).init(&device);
    let x = Tensor::<2>::ones([4, 3], &device);
    let risk = Risk::mean([x], |model: &Linear, x: &Tensor<2>| {
        model.forward(x.clone()).square().mean()
    });
    let hessian = Hessian::at(&model, &risk).expect("a Hessian");
    assert!(matches!(hessian.method(), Method::Exact { .. }));
    // d^2/db^2 of the mean of two squares.
    let v = hessian
        .domain()
        .upload(&[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0])
        .expect("eight entries");
    let product = download(&hessian.apply(&v).expect("a product"));
    assert!((product[6] - 1.0).abs() < 1e-6, "{product:?}");
}

/// A part of the loss computes in f32 although the model is in f64, as Burn's `RmsNorm` does: over
/// less than a step of f32 its gradient is flat. The right value is by differences of the value of
/// the same loss in f64 throughout.
#[test]
fn differences_of_a_loss_that_is_rounded_to_f32_step_over_its_stairs() {
    let loss = |model: &Linear, (x, _): &Batch, rounded: bool| {
        let outputs = model.forward(x.clone()).tanh();
        let outputs = if rounded {
            outputs.cast(FloatDType::F32).cast(FloatDType::F64)
        } else {
            outputs
        };
        // A read, so that neither can be recorded.
        let one: f64 = x.clone().sum().mul_scalar(0.0).into_scalar::<f64>() + 1.0;
        outputs.square().mean() * one
    };
    let [rounded, plain] = [true, false].map(|rounded| {
        let risk = Risk::mean([batch()], move |m: &Linear, b: &Batch| loss(m, b, rounded));
        Hessian::at(&model(), &risk).expect("a Hessian")
    });
    let (ours, theirs) = (product(&rounded), product(&plain));
    let size = theirs.iter().fold(0.0_f64, |size, x| size.max(x.abs()));
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert!((ours - theirs).abs() < 2e-3 * size, "{ours} {theirs}");
    }
    // And the error that it states covers what f32 costs.
    assert!(
        rounded.relative_error() >= 1e-4,
        "{}",
        rounded.relative_error()
    );
    assert!(plain.relative_error() < 1e-7, "{}", plain.relative_error());
}
