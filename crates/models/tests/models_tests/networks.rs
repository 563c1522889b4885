//! The networks compute what their documentation says.

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Distribution, Tensor};
use models::{Activation, Classifier, CnnConfig, Error, MlpConfig, ResidualMlpConfig};

fn vector(tensor: Tensor<2>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

#[test]
fn shapes_of_the_logits_follow_batch_and_classes() {
    let device = Device::flex();
    let images = Tensor::<4>::ones([3, 1, 8, 8], &device);
    let networks: [Tensor<2>; 4] = [
        MlpConfig::new(vec![64, 16, 10])
            .init(&device)
            .unwrap()
            .logits(images.clone()),
        ResidualMlpConfig::new(64, 8, 2)
            .init(&device)
            .unwrap()
            .logits(images.clone()),
        CnnConfig::new(8)
            .init(&device)
            .unwrap()
            .logits(images.clone()),
        CnnConfig::new(8)
            .with_batch_norm(true)
            .with_dropout(0.5)
            .init(&device)
            .unwrap()
            .logits(images),
    ];
    for logits in networks {
        assert_eq!(logits.dims(), [3, 10]);
    }
    let large = CnnConfig::new(28)
        .with_input_channels(3)
        .with_classes(4)
        .init(&device)
        .unwrap();
    assert_eq!(
        large.forward(Tensor::ones([2, 3, 28, 28], &device)).dims(),
        [2, 4]
    );
    assert_eq!(large.fc.weight.dims(), [16 * 7 * 7, 4]);
    let odd = CnnConfig::new(7).init(&device).unwrap();
    assert_eq!(
        odd.forward(Tensor::ones([2, 1, 7, 7], &device)).dims(),
        [2, 10]
    );
}

#[test]
fn numbers_of_parameters_are_those_of_the_formula() {
    let device = Device::flex();
    let mlp = MlpConfig::new(vec![64, 24, 16, 10]).init(&device).unwrap();
    assert_eq!(mlp.num_params(), 64 * 24 + 24 + 24 * 16 + 16 + 16 * 10 + 10);
    let cnn = CnnConfig::new(8).with_channels([6, 8]);
    let plain = 6 * 9 + 6 + 8 * 6 * 9 + 8 + 8 * 4 * 10 + 10;
    assert_eq!(cnn.clone().init(&device).unwrap().num_params(), plain);
    let norms = cnn.with_batch_norm(true).init(&device).unwrap();
    assert!(norms.bn1.is_some() && norms.bn2.is_some() && norms.dropout.is_none());
    // Gain and shift, and Burn counts the running mean and variance as well.
    assert_eq!(norms.num_params(), plain + 4 * (6 + 8));
}

#[test]
fn images_and_flat_rows_give_the_same_logits() {
    let device = Device::flex();
    let model = MlpConfig::new(vec![64, 16, 10])
        .init_seeded(3, (&device, DType::F64))
        .unwrap();
    let pixels: Vec<f64> = (0..128).map(|k| f64::from(k) / 128.0).collect();
    let flat = Tensor::<1>::from_data(pixels.as_slice(), (&device, DType::F64));
    let from_images = model.forward(flat.clone().reshape([2, 1, 8, 8]));
    assert_eq!(
        vector(from_images),
        vector(model.forward(flat.reshape([2, 64])))
    );
}

#[test]
fn activations_take_their_known_values() {
    let device = Device::flex();
    let input = || Tensor::<2>::from_data([[-1.0, 0.0, 2.0]], (&device, DType::F64));
    // Phi(1) = 0.841344746068542948..., Phi(2) = 0.977249868051820793...
    for (activation, expected) in [
        (Activation::Relu, [0.0, 0.0, 2.0]),
        (
            Activation::Tanh,
            [-0.761_594_155_955_764_9, 0.0, 0.964_027_580_075_816_9],
        ),
        (
            Activation::Gelu,
            [
                -(1.0 - 0.841_344_746_068_542_9),
                0.0,
                2.0 * 0.977_249_868_051_820_8,
            ],
        ),
    ] {
        for (found, expected) in vector(activation.apply(input())).into_iter().zip(expected) {
            // A few roundings of erf or tanh.
            assert!(
                (found - expected).abs() < 1e-15,
                "{activation:?}: {found} instead of {expected}"
            );
        }
    }
}

#[test]
fn blocks_whose_last_layer_is_zero_are_the_identity() {
    let device = Device::flex();
    let mut model = ResidualMlpConfig::new(64, 8, 3)
        .init_seeded(5, (&device, DType::F64))
        .unwrap();
    let images = Tensor::<4>::ones([2, 1, 8, 8], (&device, DType::F64));
    let with_blocks = vector(model.forward(images.clone()));
    for block in &mut model.blocks {
        block.second.weight = Param::from_tensor(block.second.weight.val().zeros_like());
        block.second.bias = block
            .second
            .bias
            .as_ref()
            .map(|bias| Param::from_tensor(bias.val().zeros_like()));
    }
    let silenced = vector(model.forward(images.clone()));
    model.blocks.clear();
    assert_eq!(silenced, vector(model.forward(images)));
    assert_ne!(silenced, with_blocks);
}

#[test]
fn batch_norm_makes_logits_depend_on_the_batch_only_while_training() {
    let config = CnnConfig::new(8).with_batch_norm(true);
    let alone_or_together = |device: &Device, config: &CnnConfig| {
        let model = config.init_seeded(2, (device, DType::F64)).unwrap();
        let images = Tensor::<4>::random([4, 1, 8, 8], Distribution::Default, (device, DType::F64));
        let together = vector(model.forward(images.clone()).narrow(0, 0, 1));
        let alone = vector(model.forward(images.narrow(0, 0, 1)));
        together
            .iter()
            .zip(alone)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f64::max)
    };
    let (plain, training) = (Device::flex(), Device::flex().autodiff());
    // The same sums in another order.
    assert!(alone_or_together(&plain, &config) < 1e-13);
    assert!(alone_or_together(&training, &config) > 1e-3);
    assert!(alone_or_together(&training, &CnnConfig::new(8)) < 1e-13);
}

#[test]
fn dropout_is_active_only_while_training() {
    let config = CnnConfig::new(8).with_dropout(0.5);
    for (device, active) in [(Device::flex(), false), (Device::flex().autodiff(), true)] {
        let model = config.init_seeded(2, &device).unwrap();
        let images = Tensor::<4>::ones([4, 1, 8, 8], &device);
        let [first, second] = [(), ()].map(|()| vector(model.forward(images.clone())));
        assert_eq!(first != second, active);
    }
}

#[test]
fn impossible_networks_are_refused_in_a_sentence() {
    let errors: [(Result<(), Error>, &str); 9] = [
        (
            MlpConfig::new(vec![64]).check(),
            "the widths of an Mlp is [64], but must be at least two numbers",
        ),
        (MlpConfig::new(vec![64, 0, 10]).check(), "[64, 0, 10]"),
        (
            ResidualMlpConfig::new(64, 0, 1).check(),
            "the width of a ResidualMlp is 0, but must be at least 1",
        ),
        (
            ResidualMlpConfig::new(64, 8, 1).with_classes(0).check(),
            "the classes of a ResidualMlp is 0",
        ),
        (
            CnnConfig::new(3).check(),
            "the side of a Cnn is 3, but must be at least 4",
        ),
        (CnnConfig::new(8).with_channels([8, 0]).check(), "[8, 0]"),
        (CnnConfig::new(8).with_classes(0).check(), "classes"),
        (
            CnnConfig::new(8).with_input_channels(0).check(),
            "input_channels",
        ),
        (
            CnnConfig::new(8).with_dropout(1.0).check(),
            "the dropout of a Cnn is 1, but must be at least 0 and below 1",
        ),
    ];
    for (result, words) in errors {
        let message = result.unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    }
    assert!(CnnConfig::new(8).with_dropout(f64::NAN).check().is_err());
    assert!(MlpConfig::new(vec![64, 10]).check().is_ok());
}

#[test]
fn init_fails_with_the_sentence_of_check() {
    let device = Device::flex();
    let (cnn, mlp) = (CnnConfig::new(3), MlpConfig::new(vec![64]));
    let perceptron = ResidualMlpConfig::new(64, 0, 1);
    let expected = cnn.check().unwrap_err().to_string();
    assert_eq!(cnn.init(&device).unwrap_err().to_string(), expected);
    assert_eq!(
        cnn.init_seeded(1, &device).unwrap_err().to_string(),
        expected
    );
    assert!(mlp.init(&device).is_err() && mlp.init_seeded(1, &device).is_err());
    assert!(perceptron.init(&device).is_err() && perceptron.init_seeded(1, &device).is_err());
}
