//! Exact products over batches: memory limits, batches in parts, losses that cannot be cut.

use burn::module::Module;
use burn::nn::loss::{CrossEntropyLossConfig, MseLoss, Reduction as Of};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::tanh;
use burn::tensor::{DType, Device, FloatDType, Int, Tensor, TensorData};
use landscape::download;
use landscape::{
    Batch as _, GaussNewton, Hessian, LinearOperator, Method, ParameterSpace, ProductConfig,
    Reduction, Risk, Stated, random_direction,
};

type Batch = (Tensor<2>, Tensor<1, Int>);

#[derive(Module, Debug)]
struct Net {
    first: Linear,
    second: Linear,
}

fn device() -> Device {
    Device::flex()
}

impl Net {
    fn new() -> Self {
        let device = device();
        // Weights of a formula: the device's generator is shared by the tests.
        let layer = |inputs: usize, outputs: usize| {
            let layer = LinearConfig::new(inputs, outputs).init(&device.clone().autodiff());
            layer.map(&mut Fill)
        };
        Self {
            first: layer(12, 9),
            second: layer(9, 4),
        }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.second.forward(tanh(self.first.forward(x)))
    }
}

struct Fill;

impl burn::module::ModuleMapper for Fill {
    fn map_float<const D: usize>(
        &mut self,
        param: burn::module::Param<Tensor<D>>,
    ) -> burn::module::Param<Tensor<D>> {
        param.map(|tensor| {
            let shape = tensor.dims();
            let len: usize = shape.iter().product();
            let data = TensorData::new(waves(len, 0.7), shape);
            Tensor::from_data(data, (&tensor.device(), DType::F64)).require_grad()
        })
    }
}

fn waves(len: usize, frequency: f64) -> Vec<f64> {
    (0..len)
        .map(|i| (frequency * (i * i + 1) as f64).sin())
        .collect()
}

fn batch(examples: usize, frequency: f64) -> Batch {
    let x = TensorData::new(waves(examples * 12, frequency), [examples, 12]);
    let y: Vec<i64> = (0..examples).map(|i| (i * i % 4) as i64).collect();
    let device = device();
    (
        Tensor::from_data(x, (&device, DType::F64)),
        Tensor::from_data(TensorData::new(y, [examples]), &device),
    )
}

fn cross_entropy(outputs: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    CrossEntropyLossConfig::new()
        .init(&outputs.device())
        .forward(outputs, labels)
}

fn risk(batches: Vec<Batch>) -> Risk<Net, Batch> {
    Risk::of(
        batches,
        |net: &Net, (x, _): &Batch| net.forward(x.clone()),
        |outputs, (_, y): &Batch| cross_entropy(outputs, y.clone()),
        Reduction::Mean,
    )
}

fn direction() -> Tensor<1> {
    random_direction(&ParameterSpace::of(&Net::new()).expect("a space"), 5)
}

/// Kept and recomputed parts.
fn parts(hessian: &Hessian<Net, Batch>) -> (usize, usize) {
    match hessian.method() {
        Method::Exact {
            kept, recomputed, ..
        } => (kept, recomputed),
        other => panic!("products by {other}"),
    }
}

fn whole(limit: Option<usize>) -> ProductConfig {
    ProductConfig::new()
        .with_memory_limit(limit)
        .with_cut_batches(false)
}

fn difference(a: &[f64], b: &[f64]) -> f64 {
    let size = |v: &mut dyn Iterator<Item = f64>| v.map(|x| x * x).sum::<f64>().sqrt();
    size(&mut a.iter().zip(b).map(|(a, b)| a - b)) / size(&mut b.iter().copied())
}

#[test]
fn products_are_the_same_bit_for_bit_under_any_memory_limit() {
    let net = Net::new();
    let risk = risk(
        (1..=7_u8)
            .map(|i| batch(20 + usize::from(i), f64::from(i)))
            .collect(),
    );
    let all = Hessian::at_with(&net, &risk, &whole(None)).unwrap();
    let product = download(&all.apply(&direction()).unwrap());
    let form = all.quadratic_form(&direction()).unwrap();
    assert_eq!(parts(&all), (7, 0));
    let of_all = all.kept_bytes();
    assert!(of_all > 0);
    for limit in [0, of_all / 4, of_all / 2, of_all] {
        let hessian = Hessian::at_with(&net, &risk, &whole(Some(limit))).unwrap();
        assert!(
            hessian.kept_bytes() <= limit,
            "{} kept",
            hessian.kept_bytes()
        );
        let (kept, recomputed) = parts(&hessian);
        assert_eq!(kept + recomputed, 7);
        assert_eq!(kept == 0, limit == 0);
        assert_eq!(recomputed == 0, limit == of_all);
        assert_eq!(download(&hessian.apply(&direction()).unwrap()), product);
        // The forms of kept and of recomputed batches are written down in another order.
        let other = hessian.quadratic_form(&direction()).unwrap();
        assert!((other - form).abs() <= 1e-13 * form.abs(), "{other} {form}");
        let limited = GaussNewton::at_with(&net, &risk, &whole(Some(limit))).unwrap();
        let free = GaussNewton::at(&net, &risk).unwrap();
        assert!(limited.kept_bytes() <= limit);
        assert_eq!(
            download(&limited.apply(&direction()).unwrap()),
            download(&free.apply(&direction()).unwrap())
        );
    }
}

#[test]
fn quadratic_form_is_the_inner_product_with_the_product() {
    let (net, v) = (Net::new(), direction());
    let risk = risk(vec![batch(31, 0.3), batch(12, 0.4)]);
    let hessian = Hessian::at(&net, &risk).unwrap();
    let product = download(&hessian.apply(&v).unwrap());
    let expected: f64 = download(&v).iter().zip(&product).map(|(v, p)| v * p).sum();
    let form = hessian.quadratic_form(&v).unwrap();
    // Rounding of f64 in sums of some hundred terms.
    assert!(
        (form - expected).abs() < 1e-12 * expected.abs(),
        "{form} {expected}"
    );
}

#[test]
fn large_batches_are_cut_and_the_product_changes_by_rounding_only() {
    let net = Net::new();
    let risk = risk(vec![batch(1500, 0.3), batch(40, 0.4)]);
    let cut = Hessian::at(&net, &risk).unwrap();
    let uncut = Hessian::at_with(&net, &risk, &whole(None)).unwrap();
    // Three parts would have at most 512 rows each; four divide evenly among cores.
    assert_eq!((parts(&cut), parts(&uncut)), ((5, 0), (2, 0)));
    let products = [cut, uncut].map(|hessian| download(&hessian.apply(&direction()).unwrap()));
    let error = difference(&products[0], &products[1]);
    assert!(error < 1e-13, "{error:.1e}");
}

#[test]
fn loss_divided_by_the_weights_of_the_batch_is_not_cut() {
    let net = Net::new();
    let loss = |net: &Net, (x, y): &Batch| {
        let mut criterion = CrossEntropyLossConfig::new()
            .with_weights(Some(vec![1.0, 0.2, 3.0, 0.5]))
            .init(&x.device());
        // Burn makes them in the device's own type, which is one for all tests of this process.
        criterion.weights = criterion.weights.map(|w| w.cast(FloatDType::F64));
        criterion.forward(net.forward(x.clone()), y.clone())
    };
    // Classes come in blocks, as in data that nobody shuffled.
    let (x, _) = batch(1500, 0.3);
    let y: Vec<i64> = (0..1500).map(|i| i / 375).collect();
    let y = Tensor::from_data(TensorData::new(y, [1500]), &device());
    let risk = Risk::mean([(x, y)], loss).without_reduction_check();
    let hessian = Hessian::at(&net, &risk).unwrap();
    assert_eq!(parts(&hessian), (1, 0));
    let uncut = Hessian::at_with(&net, &risk, &whole(None)).unwrap();
    let products = [hessian, uncut].map(|hessian| download(&hessian.apply(&direction()).unwrap()));
    assert_eq!(products[0], products[1]);
}

#[test]
fn number_of_the_host_that_differs_between_batches_is_not_shared() {
    // The second batch has the shape of the first, and its loss another divisor: the length of a
    // tensor that is looked at on the host only.
    type Divided = Stated<(Tensor<2>, Tensor<1, Int>, Tensor<1>)>;
    let net = Net::new();
    let divided = |scale: f64, divisor: usize| -> Divided {
        let (x, y) = batch(24, scale);
        Stated::new((x, y, Tensor::ones([divisor], &device())), 24)
    };
    let batches = [divided(0.3, 24), divided(0.9, 3)];
    let risk = |batches: Vec<Divided>| {
        Risk::mean(batches, |net: &Net, batch: &Divided| {
            let (x, y, divisor) = &batch.batch;
            let target = Tensor::zeros([24, 4], (&x.device(), DType::F64));
            let sum = MseLoss::new().forward(net.forward(x.clone()), target, Of::Sum);
            let divisor = f64::from(u32::try_from(divisor.dims()[0]).expect("a small number"));
            (sum + y.clone().float().cast(FloatDType::F64).sum() * 0.0) / divisor
        })
        .without_reduction_check()
    };
    let product = |risk: Risk<Net, Divided>| {
        let hessian = Hessian::at_with(&net, &risk, &whole(None)).unwrap();
        download(&hessian.apply(&direction()).unwrap())
    };
    let both = product(risk(batches.to_vec()));
    let first = product(risk(vec![batches[0].clone()]));
    let second = product(risk(vec![batches[1].clone()]));
    let mean: Vec<f64> = first
        .iter()
        .zip(&second)
        .map(|(a, b)| (a + b) / 2.0)
        .collect();
    let error = difference(&both, &mean);
    assert!(error < 1e-14, "{error:.1e}");
}

#[test]
fn narrowed_batch_has_the_examples_of_the_range_and_what_counts_none() {
    let (x, y) = batch(10, 0.3);
    let weights = Tensor::<1>::ones([4], &device());
    let (part, labels, kept) = (x.clone(), y.clone(), weights).narrow(3..7);
    assert_eq!(part.to_data(), x.slice_dim(0, 3..7).into_data());
    assert_eq!(labels.to_data(), y.slice_dim(0, 3..7).into_data());
    assert_eq!(kept.dims(), [4]);
}
