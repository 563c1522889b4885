//! He's weights are those that an independent program draws, have their variance, and leave all
//! else as it was.

use burn::module::Param;
use burn::nn::LinearConfig;
use burn::tensor::{DType, Device, Tensor};
use models::{CnnConfig, MlpConfig, he_normal};

fn values<const D: usize>(param: &Param<Tensor<D>>) -> Vec<f64> {
    param.val().into_data().iter::<f64>().collect()
}

/// The values are the same f64 numbers but for the rounding of logarithm and cosine; 1e-14 is ten
/// times that of a hundred numbers of order one.
#[track_caller]
fn assert_drawn<const D: usize>(param: &Param<Tensor<D>>, first: f64, last: f64, sum: f64) {
    let values = values(param);
    let found = [values[0], values[values.len() - 1], values.iter().sum()];
    for (found, expected) in found.into_iter().zip([first, last, sum]) {
        assert!((found - expected).abs() < 1e-14, "{found} not {expected}");
    }
}

#[test]
fn he_weights_are_those_of_the_reference_program() {
    let device = Device::flex();
    let config = CnnConfig::new(8)
        .with_channels([2, 3])
        .with_batch_norm(true);
    let model = config.init_seeded(1, (&device, DType::F64)).unwrap();
    let ids = [model.conv1.weight.id, model.conv2.weight.id];
    let model = he_normal(model, 7, 1.0);
    assert_eq!([model.conv1.weight.id, model.conv2.weight.id], ids);
    assert_drawn(
        &model.conv1.weight,
        0.07478549108527895,
        -0.3185921623050205,
        0.46647628950219483,
    );
    assert_drawn(
        &model.conv2.weight,
        -0.6656437685481089,
        0.32385192191468615,
        -1.5701714396268043,
    );
    assert_drawn(
        &model.fc.weight,
        -0.429119802620207,
        0.46307773807544245,
        1.0661379032986171,
    );
    let biases = [&model.conv1.bias, &model.conv2.bias, &model.fc.bias];
    for bias in biases.into_iter().flatten() {
        assert!(values(bias).iter().all(|&bias| bias == 0.0));
    }
    for norm in [&model.bn1, &model.bn2].into_iter().flatten() {
        assert!(values(&norm.gamma).iter().all(|&gain| gain == 1.0));
        assert!(values(&norm.beta).iter().all(|&shift| shift == 0.0));
    }
}

#[test]
fn he_weights_have_twice_the_inverse_of_the_inputs_as_variance() {
    let device = Device::flex().autodiff();
    let model = MlpConfig::new(vec![128, 256, 10]).init(&device).unwrap();
    let model = he_normal(model, 3, 0.5);
    let weights = values(&model.layers[0].weight);
    // Of n = 32,768 numbers, relative standard deviation of the variance √(2/n) = 0.8 %, of the
    // mean 1/√n = 0.55 % of a deviation: five of either.
    let n = weights.len() as f64;
    let expected = 0.25 * 2.0 / 128.0;
    let mean = weights.iter().sum::<f64>() / n;
    let variance = weights.iter().map(|x| x * x).sum::<f64>() / n;
    assert!((variance / expected - 1.0).abs() < 0.04, "{variance}");
    assert!(mean.abs() < 0.028 * expected.sqrt(), "{mean}");
    assert!(model.layers[0].weight.val().is_require_grad());
}

#[test]
fn he_weights_are_a_function_of_seed_and_shapes() {
    let device = Device::flex();
    let drawn = |seed| values(&he_normal(LinearConfig::new(4, 3).init(&device), seed, 1.0).weight);
    assert_eq!(drawn(5), drawn(5));
    assert_ne!(drawn(5), drawn(6));
}
