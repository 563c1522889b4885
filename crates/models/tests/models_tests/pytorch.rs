//! Weights in PyTorch's layout give PyTorch's outputs.
//!
//! `mlp_tanh` and `mlp_relu` were written by PyTorch together with its outputs; `cnn` was evaluated
//! by plain loops in `fixtures/generate.py`. Tolerance 1e-12: double precision sums of at most 64
//! products of numbers near 1, added in another order.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use burn::module::Module;
use burn::store::{BurnToPyTorchAdapter, ModuleSnapshot, ModuleStore, SafetensorsStore, bridge};
use burn::tensor::{DType, Device, Tensor, TensorData};
use models::{
    Activation, Cnn, CnnConfig, Error, MlpConfig, PytorchWeights, load_pytorch_safetensors,
};

const TANH: &[u8] = include_bytes!("../fixtures/mlp_tanh.safetensors");
const RELU: &[u8] = include_bytes!("../fixtures/mlp_relu.safetensors");
const CNN: &[u8] = include_bytes!("../fixtures/cnn.safetensors");

fn tensor(file: &[u8], name: &str) -> TensorData {
    let mut store = SafetensorsStore::from_bytes(Some(file.to_vec()));
    bridge::to_data(store.get_tensor(name).unwrap().unwrap()).unwrap()
}

fn read<const D: usize>(file: &[u8], name: &str, device: &Device) -> Tensor<D> {
    Tensor::from_data(tensor(file, name), (device, DType::F64))
}

fn largest_difference(a: Tensor<2>, b: Tensor<2>) -> f64 {
    assert_eq!(a.dims(), b.dims());
    (a - b).abs().max().into_scalar()
}

/// The golden MLPs name their layers fc1 to fc3.
fn golden(file: &[u8]) -> PytorchWeights {
    PytorchWeights::bytes(file)
        .with_prefix("param/")
        .with_rename(r"^fc1\.", "layers.0.")
        .with_rename(r"^fc2\.", "layers.1.")
        .with_rename(r"^fc3\.", "layers.2.")
}

fn mlp(activation: Activation) -> MlpConfig {
    MlpConfig::new(vec![64, 24, 16, 10]).with_activation(activation)
}

fn cnn_config() -> CnnConfig {
    CnnConfig::new(9)
        .with_input_channels(2)
        .with_channels([4, 6])
        .with_classes(3)
        .with_batch_norm(true)
        .with_activation(Activation::Gelu)
}

fn cnn(device: &Device) -> Cnn {
    let model = cnn_config().init_seeded(0, (device, DType::F64)).unwrap();
    load_pytorch_safetensors(model, PytorchWeights::bytes(CNN).with_prefix("model.")).unwrap()
}

#[test]
fn perceptrons_give_the_outputs_that_pytorch_computed() {
    let device = Device::flex();
    for (file, activation) in [(TANH, Activation::Tanh), (RELU, Activation::Relu)] {
        let model = mlp(activation)
            .init_seeded(0, (&device, DType::F64))
            .unwrap();
        let ids: Vec<_> = model.layers.iter().map(|layer| layer.weight.id).collect();
        let model = load_pytorch_safetensors(model, golden(file)).unwrap();
        let outputs = model.forward(read::<2>(file, "x", &device));
        assert!(largest_difference(outputs, read(file, "outputs", &device)) < 1e-12);
        assert_eq!(
            model
                .layers
                .iter()
                .map(|layer| layer.weight.id)
                .collect::<Vec<_>>(),
            ids
        );
    }
}

#[test]
fn convolution_with_batch_norm_gives_the_outputs_of_plain_loops() {
    let device = Device::flex();
    let outputs = cnn(&device).forward(read(CNN, "x", &device));
    assert!(largest_difference(outputs, read(CNN, "outputs", &device)) < 1e-12);
}

#[test]
fn weights_written_for_pytorch_are_read_back_bit_for_bit() {
    let device = Device::flex();
    let model = cnn(&device);
    let mut store = SafetensorsStore::from_bytes(None).with_to_adapter(BurnToPyTorchAdapter);
    model.save_into(&mut store).unwrap();
    let bytes = store.get_bytes().unwrap();
    assert_eq!(tensor(&bytes, "fc.weight").shape().as_slice(), [3, 24]);
    for name in [
        "conv1.weight",
        "bn1.weight",
        "bn2.running_var",
        "fc.weight",
        "fc.bias",
    ] {
        assert_eq!(
            tensor(&bytes, name),
            tensor(CNN, &format!("model.{name}")),
            "{name}"
        );
    }
    let again = load_pytorch_safetensors(
        cnn_config().init_seeded(1, (&device, DType::F64)).unwrap(),
        bytes,
    )
    .unwrap();
    let x = read(CNN, "x", &device);
    assert_eq!(
        again.forward(x.clone()).into_data(),
        model.forward(x).into_data()
    );
}

#[test]
fn weights_take_the_float_type_of_the_model_and_keep_its_gradients() {
    let device = Device::flex().autodiff();
    for model in [
        mlp(Activation::Tanh).init_seeded(0, &device).unwrap(),
        mlp(Activation::Tanh).init(&device).unwrap(),
    ] {
        let model = load_pytorch_safetensors(model, golden(TANH)).unwrap();
        let weight = model.layers[0].weight.val();
        assert_eq!(weight.dtype(), DType::F32);
        assert!(weight.is_require_grad());
        let expected = tensor(TANH, "param/fc1.weight").convert_dtype(DType::F32);
        assert_eq!(weight.inner().transpose().into_data(), expected);
    }
}

#[test]
fn a_file_is_read_like_its_bytes() {
    let device = Device::flex();
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/cnn.safetensors"
    );
    let model = cnn_config().init_seeded(0, (&device, DType::F64)).unwrap();
    let model =
        load_pytorch_safetensors(model, PytorchWeights::file(path).with_prefix("model.")).unwrap();
    assert_eq!(
        model.fc.weight.val().into_data(),
        cnn(&device).fc.weight.val().into_data()
    );
}

fn message<M: Module>(model: M, weights: impl Into<PytorchWeights>) -> String {
    let message = load_pytorch_safetensors(model, weights)
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert!(!message.contains('\n'), "{message}");
    message
}

#[test]
fn tensors_that_do_not_fit_are_named() {
    let device = Device::flex();
    // Without the prefix nothing has a place: all six are missing, and x, outputs and the six are
    // left over.
    let text = message(mlp(Activation::Tanh).init(&device).unwrap(), TANH);
    for words in [
        "the given bytes",
        "lacks layers.0.bias, layers.0.weight",
        "no place for outputs, param/fc1.bias",
    ] {
        assert!(text.contains(words), "{text}");
    }
    // A hidden layer of another width, in the layout of the model: [in, out].
    let text = message(
        MlpConfig::new(vec![64, 20, 16, 10]).init(&device).unwrap(),
        golden(TANH),
    );
    assert!(
        text.contains(
            "layers.0.weight has the shape [64, 24] in the file, but [64, 20] in the model"
        ),
        "{text}"
    );
    assert!(
        text.contains("layers.1.weight has the shape [24, 16]"),
        "{text}"
    );
    assert!(!text.contains("layers.2"), "{text}");
    // One layer too many, one too few.
    let text = message(
        MlpConfig::new(vec![64, 24, 16, 10, 5])
            .init(&device)
            .unwrap(),
        golden(TANH),
    );
    assert!(
        text.contains("the file lacks layers.3.bias, layers.3.weight"),
        "{text}"
    );
    let text = message(
        MlpConfig::new(vec![64, 24, 16]).init(&device).unwrap(),
        golden(TANH),
    );
    assert!(
        text.contains("the model has no place for layers.2.bias, layers.2.weight"),
        "{text}"
    );
    // A model without the norms that the file has.
    let plain = cnn_config().with_batch_norm(false).init(&device).unwrap();
    let text = message(plain, PytorchWeights::bytes(CNN).with_prefix("model."));
    assert!(
        text.contains("no place for bn1.bias, bn1.running_mean"),
        "{text}"
    );
    assert!(!text.contains("num_batches_tracked"), "{text}");
}

#[test]
fn unreadable_weights_and_broken_patterns_are_named() {
    let device = Device::flex();
    let model = || mlp(Activation::Tanh).init(&device).unwrap();
    let text = message(model(), "no/such/file.safetensors");
    assert!(
        text.contains("no/such/file.safetensors cannot be read"),
        "{text}"
    );
    for bytes in [
        b"not safetensors".to_vec(),
        TANH[..1000].to_vec(),
        Vec::new(),
    ] {
        let error = load_pytorch_safetensors(model(), bytes).unwrap_err();
        assert!(matches!(error, Error::Read { .. }), "{error}");
    }
    let text = message(
        model(),
        PytorchWeights::bytes(TANH).with_rename("fc(1", "layers.0"),
    );
    assert!(text.contains("\"fc(1\""), "{text}");
}
