//! Tensors with one id that are not one parameter.

use burn::module::{Module, Param, ParamId};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, FloatDType, Int, Tensor, TensorData};
use derivatives::Capture;
use landscape::direction::between;
use landscape::download;
use landscape::sharpness::sam_sharpness;
use landscape::slice::{Buffers, line_between};
use landscape::{
    DifferenceConfig, Error, Fisher, GaussNewton, Grid, Hessian, Objective, ParameterSpace,
    Reduction, Risk, Statistics, cast, filter_normalize, line, plane, random_direction,
};

type Pair = (Tensor<2>, Tensor<2>);

#[derive(Module, Debug)]
struct Stack {
    layers: Vec<Linear>,
}

impl Stack {
    /// Clones of one layer: one id each for weight and bias.
    fn of_clones(device: &Device) -> Self {
        let layer = LinearConfig::new(5, 5).init(device);
        layer.weight.val(); // drawn now, so that the clones have it
        Self {
            layers: vec![layer; 3],
        }
    }

    fn outputs(&self, x: &Tensor<2>) -> Tensor<2> {
        let layers = self.layers.iter();
        layers.fold(x.clone(), |t, layer| layer.forward(t).tanh())
    }

    fn loss(&self, (x, y): &Pair) -> Tensor<1> {
        (self.outputs(x) - y.clone()).square().mean()
    }

    fn trained(mut self, batch: &Pair, steps: usize) -> Self {
        let mut optim = SgdConfig::new().init();
        for _ in 0..steps {
            let gradients = self.loss(batch).backward();
            let gradients = GradientsParams::from_grads(gradients, &self);
            self = optim.step(0.1, self, gradients);
        }
        self
    }
}

fn waves<const D: usize>(shape: [usize; D], speed: f32, device: &Device) -> Tensor<D> {
    let len: usize = shape.iter().product();
    let values: Vec<f32> = (0..len)
        .map(|i| (speed * (i * i) as f32 + 0.4).sin())
        .collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn pair(device: &Device) -> Pair {
    (waves([16, 5], 0.3, device), waves([16, 5], 0.7, device))
}

/// That an error names both paths and says that they have one id.
fn names<T>(result: Result<T, Error>, first: &str, second: &str, what: &str) {
    let message = match result {
        Ok(_) => panic!("{what}: no error"),
        Err(error) => error.to_string(),
    };
    assert!(
        message.contains(&format!("`{first}` and `{second}` have one parameter id")),
        "{what}: {message}"
    );
}

#[test]
fn clones_that_parted_in_training_are_refused_by_everything_that_measures() {
    let device = Device::flex().autodiff();
    let whole = Stack::of_clones(&device);
    let space = ParameterSpace::of(&whole).unwrap();
    let batch = pair(&device);
    let model = whole.clone().trained(&batch, 200);
    let risk = Risk::of(
        [batch],
        |model: &Stack, (x, _): &Pair| model.outputs(x),
        |outputs: Tensor<2>, (_, y): &Pair| (outputs - y.clone()).square().mean(),
        Reduction::Mean,
    );
    let own: f32 = model.loss(&pair(&device)).into_scalar();
    let theta = space.flatten(&whole).unwrap();
    let grid = Grid::square(-1.0..=1.0, 3);
    let refused = |result, what| names(result, "layers.0.weight", "layers.1.weight", what);
    fn unit<T>(result: Result<T, Error>) -> Result<(), Error> {
        result.map(|_| ())
    }
    // With one value for all three layers it is another model.
    let mut tied = model.clone();
    tied.layers = vec![model.layers[0].clone(); 3];
    assert!((f64::from(own) - risk.value(&tied).unwrap()).abs() > 1e-6);
    refused(unit(ParameterSpace::of(&model)), "space");
    refused(unit(space.flatten(&model)), "flatten");
    refused(unit(space.unflatten(&model, &theta)), "unflatten");
    refused(unit(space.displace(&model, &theta)), "displace");
    refused(unit(cast(&model, FloatDType::F64)), "cast");
    refused(unit(risk.value(&model)), "value");
    refused(unit(risk.gradient(&model)), "gradient");
    refused(unit(Objective::at(&model, &risk)), "objective");
    refused(unit(Objective::in_double(&model, &risk)), "in double");
    refused(unit(Hessian::at(&model, &risk)), "Hessian");
    let config = DifferenceConfig::new();
    refused(
        unit(Hessian::by_differences(&model, &risk, &config)),
        "differences",
    );
    refused(unit(GaussNewton::at(&model, &risk)), "Gauss-Newton");
    refused(unit(Fisher::at(&model, &risk)), "Fisher");
    refused(unit(line(&model, &risk, &theta, &[0.0])), "line");
    refused(unit(plane(&model, &risk, [&theta, &theta], &grid)), "plane");
    let keep = Buffers::Keep;
    refused(
        unit(line_between(&whole, &model, &risk, &keep, &[0.0])),
        "line between",
    );
    refused(unit(between(&space, &whole, &model)), "between");
    refused(unit(sam_sharpness(&model, &risk, 0.05)), "sharpness");
    let direction = random_direction(&space, 1);
    refused(
        unit(filter_normalize(&space, &model, direction)),
        "normalise",
    );
    refused(unit(risk.recompute_statistics(&model)), "recompute");
    let x = waves([16, 5], 0.3, &Device::flex());
    let captured = Capture::of(&model).loss(|model: &Stack, device: &Device| {
        let x = x.clone().to_device(device);
        model.outputs(&x).square().mean()
    });
    refused(captured.map(|_| ()).map_err(Error::Derivatives), "capture");
}

#[test]
fn clones_that_are_still_equal_are_one_parameter_with_the_sum_of_the_gradients() {
    let device = Device::flex().autodiff();
    let model = Stack::of_clones(&device);
    let risk = Risk::mean([pair(&device)], Stack::loss);
    let own: f32 = model.loss(&pair(&device)).into_scalar();
    assert_eq!(ParameterSpace::of(&model).unwrap().dim(), 30);
    assert!((risk.value(&model).unwrap() - f64::from(own)).abs() < 1e-6);
    // The derivative in one entry by differences of the value: 30 numbers move 90 places.
    let objective = Objective::in_double(&model, &risk).unwrap();
    let (_, gradient) = objective.gradient_here().unwrap();
    let mut step = vec![0.0; 30];
    step[7] = 1e-5;
    let step = objective.space().domain.upload(&step).unwrap();
    let ahead = objective.value(&(objective.origin().clone() + step.clone()));
    let behind = objective.value(&(objective.origin().clone() - step));
    let slope = (ahead.unwrap() - behind.unwrap()) / 2e-5;
    assert!((download(&gradient)[7] - slope).abs() < 1e-9);
}

#[test]
fn weights_loaded_into_one_of_two_clones_are_refused() {
    let device = Device::flex();
    let mut model = Stack::of_clones(&device);
    let other: Linear = LinearConfig::new(5, 5).init(&device);
    model.layers[2].bias = Some(Param::initialized(
        model.layers[0].bias.as_ref().unwrap().id,
        other.weight.val().slice_dim(0, 0..1).reshape([5]),
    ));
    let risk = Risk::mean([pair(&device)], Stack::loss);
    names(
        risk.value(&model),
        "layers.0.bias",
        "layers.2.bias",
        "loaded",
    );
}

#[derive(Module, Debug)]
struct Mixed {
    first: Param<Tensor<1>>,
    second: Param<Tensor<1>>,
    table: Param<Tensor<1, Int>>,
    norms: Vec<BatchNorm>,
}

impl Mixed {
    fn new(device: &Device) -> Self {
        let norms = [BatchNormConfig::new(2), BatchNormConfig::new(2)];
        Self {
            first: Param::from_tensor(Tensor::ones([2], device)),
            second: Param::from_tensor(Tensor::ones([2], device)),
            table: Param::initialized(ParamId::new(), Tensor::zeros([2], device)),
            norms: norms.iter().map(|norm| norm.init(device)).collect(),
        }
    }

    fn loss(&self, x: &Tensor<2>) -> Tensor<1> {
        let norms = self.norms.iter();
        let x = norms.fold(x.clone(), |x, norm| norm.forward(x));
        (x.square().mean() + self.first.val().sum()) * self.second.val().sum()
    }
}

#[test]
fn shapes_flags_kinds_and_buffers_under_one_id_are_refused() {
    let device = Device::flex().autodiff();
    let risk = Risk::mean(waves([4, 2], 0.3, &device), Mixed::loss);
    let value = |model: &Mixed| risk.value(model);
    let whole = Mixed::new(&device);
    assert!(value(&whole).is_ok());

    let mut shape = Mixed::new(&device);
    shape.second = Param::initialized(shape.first.id, Tensor::ones([1], &device).require_grad());
    names(value(&shape), "first", "second", "shape");

    let mut flag = Mixed::new(&device);
    flag.second = Param::initialized(flag.first.id, Tensor::ones([2], &device).require_grad());
    assert!(value(&flag).is_ok(), "tied");
    flag.second = flag.second.set_require_grad(false);
    names(value(&flag), "first", "second", "flag");

    let mut kind = Mixed::new(&device);
    kind.table = Param::initialized(kind.second.id, Tensor::ones([2], &device));
    names(value(&kind), "second", "table", "kind");

    // Clones of BatchNorm share their statistics; of one that is copied by `valid`, they part.
    let mut buffer = Mixed::new(&device);
    let of_first = buffer.norms[0].valid().train();
    buffer.norms[1] = BatchNorm {
        running_mean: of_first.running_mean.clone(),
        ..buffer.norms[1].clone()
    };
    assert!(value(&buffer).is_ok(), "equal statistics");
    buffer.norms[0].forward(waves([4, 2], 0.9, &device));
    for statistics in [Statistics::Running, Statistics::Batch] {
        names(
            risk.clone().with_statistics(statistics).value(&buffer),
            "norms.0.running_mean",
            "norms.1.running_mean",
            "buffer",
        );
    }
}
