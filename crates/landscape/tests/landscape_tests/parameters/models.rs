//! Two models of one architecture that were made or loaded separately.

use burn::module::{Module, Param, ParamId};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, FloatDType, Tensor, TensorData};
use landscape::direction::between;
use landscape::download;
use landscape::{Error, ParameterSpace, Risk, cast, filter_normalize, line, random_direction};

#[derive(Module, Debug)]
struct Net {
    first: Linear,
    second: Linear,
}

fn net(hidden: usize) -> Net {
    let device = Device::flex();
    Net {
        first: LinearConfig::new(3, hidden).init(&device),
        second: LinearConfig::new(hidden, 1).init(&device),
    }
}

impl Net {
    fn loss(&self, x: &Tensor<2>) -> Tensor<1> {
        let hidden = self.first.forward(x.clone()).tanh();
        self.second.forward(hidden).square().mean()
    }
}

fn data() -> Tensor<2> {
    let values: Vec<f32> = (0..24_u8).map(|i| f32::from(i * 7 % 11) / 5.0).collect();
    Tensor::from_data(TensorData::new(values, [8, 3]), &Device::flex())
}

#[test]
fn networks_made_separately_are_matched_by_path() {
    let (a, b) = (net(4), net(4));
    assert_ne!(a.first.weight.id, b.first.weight.id);
    let space = ParameterSpace::of(&a).unwrap();
    let direction = between(&space, &a, &b).unwrap();
    let risk = Risk::mean(data(), Net::loss);
    let on_line = line(&a, &risk, &direction, &[0.0, 1.0]).unwrap().loss;
    for (loss, model) in on_line.iter().zip([&a, &b]) {
        let own: f32 = model.loss(&data()).into_scalar();
        assert!((loss - f64::from(own)).abs() < 1e-6 * f64::from(own));
    }
    // The other way round it is another space, with the same coordinates.
    let back = between(&ParameterSpace::of(&b).unwrap(), &b, &a).unwrap();
    let sum = download(&(direction + back));
    assert!(sum.iter().all(|&x| x == 0.0));
}

#[test]
fn a_network_of_other_ids_takes_the_parameters() {
    let (a, b) = (net(4), net(4));
    let space = ParameterSpace::of(&a).unwrap();
    let theta = space.flatten(&a).unwrap();
    let moved = space.unflatten(&b, &theta).unwrap();
    assert_eq!(moved.second.weight.to_data(), a.second.weight.to_data());
    assert_eq!(moved.second.weight.id, b.second.weight.id);
    let wide = cast(&b, FloatDType::F64).unwrap();
    let moved = space.unflatten(&wide, &theta).unwrap();
    let expected = a.first.weight.val().cast(FloatDType::F64);
    assert_eq!(moved.first.weight.to_data(), expected.to_data());
    let direction = random_direction(&space, 1);
    let of_other = filter_normalize(&space, &b, direction).unwrap();
    assert!(download(&of_other).iter().all(|x| x.is_finite()));
    let wide = download(&space.flatten(&wide).unwrap());
    assert_eq!(wide, download(&space.flatten(&b).unwrap()));
}

#[test]
fn a_network_of_other_shapes_is_refused_with_both_paths_and_shapes() {
    let (a, b) = (net(4), net(5));
    let space = ParameterSpace::of(&a).unwrap();
    let theta = space.flatten(&a).unwrap();
    let expected = Error::AnotherModule {
        path: "first.weight".to_owned(),
        shape: vec![3, 4],
        found: "`first.weight` of shape [3, 5]".to_owned(),
    };
    assert_eq!(between(&space, &a, &b).unwrap_err(), expected);
    assert_eq!(space.flatten(&b).unwrap_err(), expected);
    assert_eq!(space.unflatten(&b, &theta).unwrap_err(), expected);
    let normalised = filter_normalize(&space, &b, theta);
    assert_eq!(normalised.unwrap_err(), expected);
    let message = expected.to_string();
    assert!(message.contains("`first.weight` of shape [3, 4]"));
}

#[derive(Module, Debug)]
struct Layers {
    layers: Vec<Linear>,
    scale: Option<Param<Tensor<1>>>,
}

fn layers(count: usize, scale: bool) -> Layers {
    let device = Device::flex();
    let config = LinearConfig::new(2, 2);
    Layers {
        layers: (0..count).map(|_| config.init(&device)).collect(),
        scale: scale.then(|| Param::from_tensor(Tensor::ones([1], &device))),
    }
}

#[test]
fn layers_that_one_network_has_more_are_refused() {
    let (two, three) = (layers(2, false), layers(3, false));
    let refused = |from, to| {
        let space = ParameterSpace::of(from).unwrap();
        between(&space, from, to).unwrap_err()
    };
    let message = refused(&three, &two).to_string();
    assert!(
        message.contains("`layers.2.weight` of shape [2, 2] has as its counterpart none"),
        "{message}"
    );
    // All coordinates of the first are there; the third layer is a difference beside them.
    assert!(matches!(
        refused(&two, &three),
        Error::RestDiffers { path, .. } if path == "layers.2.weight"
    ));
    assert!(matches!(
        refused(&layers(2, true), &two),
        Error::AnotherModule { path, .. } if path == "scale"
    ));
}

#[test]
fn frozen_parameters_that_differ_are_refused() {
    let a = layers(2, true);
    let mut b = a.clone();
    b.scale = b.scale.map(|scale| scale.map(|scale| scale * 2.0));
    let frozen = |mut model: Layers| {
        model.scale = model.scale.map(|scale| scale.set_require_grad(false));
        model
    };
    let (a, b) = (frozen(a), frozen(b));
    let space = ParameterSpace::of(&a).unwrap();
    let error = between(&space, &a, &b).unwrap_err();
    assert!(matches!(&error, Error::RestDiffers { path, .. } if path == "scale"));
    assert!(error.to_string().contains("line_between"), "{error}");
}

#[test]
fn a_tied_parameter_is_matched_by_all_its_places() {
    let device = Device::flex();
    let of = |value: f32| Param::from_tensor(Tensor::<1>::full([1], value, &device));
    let mut a = layers(1, false);
    a.layers.push(a.layers[0].clone());
    a.scale = Some(of(1.0));
    let mut b = layers(2, true);
    let space = ParameterSpace::of(&a).unwrap();
    assert_eq!(space.dim(), 7);
    let message = space.flatten(&b).unwrap_err().to_string();
    assert!(
        message.contains("two of different values, `layers.0.weight` and `layers.1.weight`"),
        "{message}"
    );
    // Equal values under ids of their own are the tied parameter.
    let weight = Param::initialized(ParamId::new(), b.layers[0].weight.val());
    b.layers[1].weight = weight.set_require_grad(true);
    let bias = b.layers[0].bias.as_ref().unwrap().val();
    let bias = Param::initialized(ParamId::new(), bias);
    b.layers[1].bias = Some(bias.set_require_grad(true));
    let theta = download(&space.flatten(&b).unwrap());
    let expected = b.layers[0].weight.to_data();
    assert_eq!(theta[..4], expected.iter::<f64>().collect::<Vec<_>>());
    // A network that ties what the space has apart cannot be told from its values alone.
    let apart = ParameterSpace::of(&b).unwrap();
    let message = apart.flatten(&a).unwrap_err().to_string();
    assert!(
        message.contains("together with `layers.0.weight`"),
        "{message}"
    );
}
