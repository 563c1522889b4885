//! Changed weights are what their names say, and the further layers do what they are for.

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Distribution, Tensor};
use models::{
    Cnn, CnnConfig, MlpConfig, fill_biases, he_normal, rescale_layers, scale_weights, xavier_normal,
};

fn values<const D: usize>(param: &Param<Tensor<D>>) -> Vec<f64> {
    param.val().into_data().iter::<f64>().collect()
}

fn vector<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

fn cnn(config: &CnnConfig) -> Cnn {
    config
        .init_seeded(3, (&Device::flex(), DType::F64))
        .expect("sound settings")
}

fn images() -> Tensor<4> {
    Tensor::random(
        [5, 1, 8, 8],
        Distribution::Default,
        (&Device::flex(), DType::F64),
    )
}

#[test]
fn xavier_weights_are_those_of_he_with_another_deviation() {
    let config = CnnConfig::new(8).with_channels([2, 3]);
    let (he, xavier) = (
        he_normal(cnn(&config), 7, 1.0),
        xavier_normal(cnn(&config), 7, 1.0),
    );
    // 2 / (in + out) over 2 / in; a convolution counts 9 places for each channel.
    let close = |he: Vec<f64>, xavier: Vec<f64>, inputs: f64, outputs: f64| {
        let ratio = (inputs / (inputs + outputs)).sqrt();
        for (he, xavier) in he.into_iter().zip(xavier) {
            assert!((he * ratio - xavier).abs() < 1e-15, "{he} {xavier}");
        }
    };
    close(
        values(&he.conv1.weight),
        values(&xavier.conv1.weight),
        9.0,
        18.0,
    );
    close(
        values(&he.conv2.weight),
        values(&xavier.conv2.weight),
        18.0,
        27.0,
    );
    close(values(&he.fc.weight), values(&xavier.fc.weight), 12.0, 10.0);
}

#[test]
fn weights_are_scaled_and_biases_filled_each_alone() {
    let config = CnnConfig::new(8).with_batch_norm(true);
    let plain = cnn(&config);
    let scaled = scale_weights(plain.clone(), 4.0);
    let filled = fill_biases(plain.clone(), -3.0);
    let bias = |model: &Cnn| values(model.fc.bias.as_ref().unwrap());
    let four = |values: Vec<f64>| values.iter().map(|x| 4.0 * x).collect::<Vec<_>>();
    assert_eq!(
        values(&scaled.conv2.weight),
        four(values(&plain.conv2.weight))
    );
    assert_eq!(values(&scaled.fc.weight), four(values(&plain.fc.weight)));
    assert_eq!(bias(&scaled), bias(&plain));
    assert_eq!(values(&filled.fc.weight), values(&plain.fc.weight));
    assert!(bias(&filled).iter().all(|&bias| bias == -3.0));
    for model in [&scaled, &filled] {
        let norm = model.bn1.as_ref().unwrap();
        assert!(values(&norm.gamma).iter().all(|&gain| gain == 1.0));
        assert!(values(&norm.beta).iter().all(|&shift| shift == 0.0));
    }
}

#[test]
fn rescaled_layers_leave_the_outputs_as_they_are_and_move_the_scale() {
    let plain = cnn(&CnnConfig::new(8));
    let rescaled = rescale_layers(plain.clone(), 16.0);
    let images = images();
    // A power of two rounds nothing.
    assert_eq!(
        vector(plain.forward(images.clone())),
        vector(rescaled.forward(images))
    );
    let times =
        |values: Vec<f64>, factor: f64| -> Vec<f64> { values.iter().map(|x| factor * x).collect() };
    assert_eq!(
        values(&rescaled.conv1.weight),
        times(values(&plain.conv1.weight), 16.0)
    );
    assert_eq!(
        values(&rescaled.conv2.weight),
        times(values(&plain.conv2.weight), 1.0 / 16.0)
    );
    assert_eq!(values(&rescaled.fc.weight), values(&plain.fc.weight));
}

#[test]
fn silent_convolutions_are_passed_by_a_skip_connection_and_block_without() {
    let shallow = cnn(&CnnConfig::new(8));
    let images = images();
    let silenced = |skip: bool| {
        let mut model = cnn(&CnnConfig::new(8).with_depth(3).with_skip(skip));
        model.deep = std::mem::take(&mut model.deep)
            .into_iter()
            .map(|layer| he_normal(layer, 1, 0.0))
            .collect();
        // The same numbers before and after the further layers.
        model.fc = shallow.fc.clone();
        vector(model.forward(images.clone()))
    };
    assert_eq!(silenced(true), vector(shallow.forward(images.clone())));
    let bias = values(shallow.fc.bias.as_ref().unwrap());
    assert_eq!(silenced(false), bias.repeat(5));
}

#[test]
fn norms_of_a_perceptron_take_the_scale_of_a_layer_away_while_training() {
    let config = MlpConfig::new(vec![64, 16, 8, 10]).with_batch_norm(true);
    let device = Device::flex().autodiff();
    let model = config.init_seeded(5, (&device, DType::F64)).unwrap();
    assert_eq!(model.norms.len(), 2);
    let images = Tensor::<2>::random([32, 64], Distribution::Default, (&device, DType::F64));
    let logits = |factor: f64| {
        let mut model = model.clone();
        for layer in &mut model.layers[..2] {
            *layer = scale_weights(layer.clone(), factor);
        }
        vector(model.forward(images.clone()))
    };
    // Norms divide by √(variance + 1e-5), which is nothing beside a variance of 1e6.
    for (a, b) in logits(1e4).into_iter().zip(logits(1e5)) {
        assert!((a - b).abs() < 1e-8, "{a} {b}");
    }
}

#[test]
fn share_of_a_batch_in_the_running_statistics_is_that_of_the_configuration() {
    let device = Device::flex().autodiff();
    for (momentum, expected) in [(0.0, 0.0), (1.0, 1.0), (0.25, 0.25)] {
        let config = MlpConfig::new(vec![4, 3, 2])
            .with_batch_norm(true)
            .with_norm_momentum(momentum);
        let model = config.init_seeded(5, (&device, DType::F64)).unwrap();
        let images = Tensor::<2>::random([64, 4], Distribution::Default, (&device, DType::F64));
        let mean = model.layers[0].forward(images.clone()).mean_dim(0);
        let _ = model.forward(images);
        let running = model.norms[0].running_mean.value_sync();
        // From 0 it goes this share of the way to the mean of the batch.
        for (running, mean) in vector(running).into_iter().zip(vector(mean)) {
            assert!(
                (running - expected * mean).abs() < 1e-14,
                "{running} {mean}"
            );
        }
    }
    let wrong = MlpConfig::new(vec![4, 3, 2]).with_norm_momentum(1.5);
    let message = wrong.check().unwrap_err().to_string();
    assert!(
        message.contains("1.5") && message.contains("at most 1"),
        "{message}"
    );
}

#[test]
fn further_layers_change_no_parameter_of_a_network_without_them() {
    let config = CnnConfig::new(8);
    let (plain, deep) = (cnn(&config), cnn(&config.clone().with_depth(2)));
    assert_eq!(values(&plain.conv2.weight), values(&deep.conv2.weight));
    assert_eq!(
        deep.num_params() - plain.num_params(),
        2 * (16 * 16 * 9 + 16)
    );
}
