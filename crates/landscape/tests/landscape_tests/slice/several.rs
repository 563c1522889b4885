//! Several quantities on one slice, at any points.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};
use landscape::slice::{
    Buffers, Evaluation, Quantity, RefineConfig, Slice, Slopes, line_between, refine, refine_with,
};
use landscape::{Error, Grid, ParameterSpace, Risk, download, random_directions};

use super::{Point, bowl, point, vector};

type Labelled = (Tensor<2>, Tensor<1, Int>);
type Weighted = (Tensor<2>, Tensor<1, Int>, Tensor<1>);

#[derive(Module, Debug)]
struct Net {
    first: Linear,
    second: Linear,
}

impl Net {
    fn new() -> Self {
        let device = Device::flex();
        let mut entry = 0.0_f64;
        let mut fill = |shape: [usize; 2]| {
            let count = shape[0] * shape[1];
            let values: Vec<f32> = (0..count)
                .map(|_| {
                    entry += 1.0;
                    (1.7 * entry * entry).sin() as f32
                })
                .collect();
            Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), &device))
        };
        let layer = |inputs, outputs| LinearConfig::new(inputs, outputs).init(&device);
        let mut net = Self {
            first: layer(2, 9),
            second: layer(9, 3),
        };
        net.first.weight = fill([2, 9]);
        net.second.weight = fill([9, 3]);
        for layer in [&mut net.first, &mut net.second] {
            let width = layer.bias.as_ref().unwrap().dims()[0];
            let zeros = Tensor::zeros([width], &device);
            layer.bias = Some(Param::from_tensor(zeros));
        }
        net
    }

    fn outputs(&self, x: &Tensor<2>) -> Tensor<2> {
        self.second.forward(self.first.forward(x.clone()).tanh())
    }

    fn loss(&self, (x, _): &Labelled) -> Tensor<1> {
        self.outputs(x).square().mean()
    }

    fn accuracy(&self, (x, y): &Labelled) -> Tensor<1> {
        let answers = self.outputs(x).argmax(1).squeeze_dim::<1>(1);
        answers.equal(y.clone()).float().mean()
    }
}

fn labelled(rows: usize, speed: f32) -> Labelled {
    let device = Device::flex();
    let x: Vec<f32> = (0..2 * rows).map(|i| (speed * i as f32).sin()).collect();
    let y: Vec<i64> = (0..rows as i64).map(|i| (i * i) % 3).collect();
    (
        Tensor::from_data(TensorData::new(x, [rows, 2]), &device),
        Tensor::from_data(TensorData::new(y, [rows]), &device),
    )
}

/// Loss and accuracy of one split with a ragged last batch, a loss of another split with batches
/// of another type, and one that cannot be captured.
fn quantities() -> Vec<Quantity<Net>> {
    let train = Risk::mean(
        [labelled(7, 0.9), labelled(7, 1.1), labelled(3, 2.3)],
        Net::loss,
    );
    let accuracy = Risk::mean(train.batches().clone(), Net::accuracy);
    let (x, y) = labelled(5, 0.31);
    let weights = Tensor::full([5], 2.0, &Device::flex());
    let test: Risk<Net, Weighted> =
        Risk::mean([(x, y, weights)], |net: &Net, (x, _, w): &Weighted| {
            (net.outputs(x).abs().mean_dim(1).squeeze_dim::<1>(1) * w.clone()).mean()
        });
    let reading = Risk::mean([labelled(4, 0.5)], |net: &Net, batch: &Labelled| {
        let _: f64 = net.first.weight.val().sum().into_scalar();
        net.loss(batch)
    });
    vec![
        Quantity::of("training loss", &train),
        Quantity::of("test loss", &test),
        Quantity::of("training accuracy", &accuracy),
        Quantity::of("a loss that reads", &reading),
    ]
}

fn plane(net: &Net) -> Slice<Net, 2> {
    let space = ParameterSpace::of(net).unwrap();
    let [first, second] = random_directions(&space, 5);
    Slice::along(net, [&first, &second], quantities())
        .unwrap()
        .within([-1.0..=2.0, -0.5..=0.5])
        .unwrap()
}

fn go_on(_: usize, _: &[f64]) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn bits(values: &[Vec<f64>]) -> Vec<Vec<u64>> {
    let row = |row: &Vec<f64>| row.iter().map(|value| value.to_bits()).collect();
    values.iter().map(row).collect()
}

#[test]
fn resumed_slice_equals_an_uninterrupted_one_bit_for_bit_on_any_number_of_cores() {
    let net = Net::new();
    let points: Vec<[f64; 2]> = (0..23)
        .map(|i| f64::from(i) / 22.0)
        .map(|x| [3.0 * x - 1.0, 0.5 * (7.0 * x).sin()])
        .collect();
    let whole = bits(&plane(&net).values(&points, go_on).unwrap());
    for cores in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(cores)
            .build()
            .unwrap();
        let resumed = pool.install(|| {
            // Killed after so many points and started again, the rest in another order.
            let mut found = vec![Vec::new(); points.len()];
            let stopped = plane(&net).values(&points, |index, values| {
                found[index] = values.to_vec();
                if index == 9 {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
            assert_eq!(stopped, Err(Error::Cancelled { done: 10 }));
            let again = plane(&net);
            for index in (10..points.len()).rev() {
                found[index] = again
                    .values(&points[index..=index], go_on)
                    .unwrap()
                    .swap_remove(0);
            }
            bits(&found)
        });
        assert_eq!(resumed, whole, "{cores} cores");
    }
}

#[test]
fn all_quantities_have_the_values_of_the_moved_model() {
    let net = Net::new();
    let slice = plane(&net);
    assert_eq!(
        slice.names(),
        [
            "training loss",
            "test loss",
            "training accuracy",
            "a loss that reads"
        ]
    );
    let ways = slice.evaluations();
    assert!(
        ways[..3].iter().all(|way| *way == Evaluation::Captured),
        "{ways:?}"
    );
    assert!(matches!(&ways[3], Evaluation::Model { because } if because.contains("reads data")));
    let space = ParameterSpace::of(&net).unwrap();
    let [first, second] = random_directions(&space, 5);
    let points = [[0.0, 0.0], [0.3, -0.25], [-0.7, 0.5], [2.0, 0.1]];
    let found = slice.values(&points, go_on).unwrap();
    for ([a, b], values) in points.into_iter().zip(found) {
        let step = first.clone() * a + second.clone() * b;
        let moved = space.displace(&net, &step).unwrap();
        for (value, quantity) in values.iter().zip(quantities()) {
            let expected = quantity.value(&moved).unwrap();
            // Two orders of the same sums in f32.
            assert!(
                (value - expected).abs() <= 1e-5 * expected.abs(),
                "{value} for {expected}"
            );
        }
        // Of 7, 7 and 3 examples: the mean of the batches' accuracies would be no 17th.
        let right = 17.0 * values[2];
        assert!((right - right.round()).abs() < 1e-5, "{right} of 17 right");
    }
}

#[test]
fn zero_negative_and_infinite_values_are_evaluated_once_and_kept() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let risk = Risk::mean([vector(&[1.0])], move |model: &Point, one: &Tensor<1>| {
        counted.fetch_add(1, Ordering::Relaxed);
        let x: f64 = model.at.val().slice_dim(0, 0..1).into_scalar();
        one.clone() * if x > 2.5 { f64::INFINITY } else { x - 1.0 }
    });
    let model = point(&[0.0, 0.0]);
    let slice = Slice::along(
        &model,
        [&vector(&[1.0, 0.0])],
        [Quantity::of("loss", &risk)],
    )
    .unwrap()
    .within([0.0..=3.0])
    .unwrap();
    slice.values(&[[0.0]], go_on).unwrap();
    let before = calls.load(Ordering::Relaxed);
    let found = slice.values(&[[0.0], [1.0], [2.0], [3.0]], go_on).unwrap();
    assert_eq!(found.concat(), [-1.0, 0.0, 1.0, f64::INFINITY]);
    assert_eq!(calls.load(Ordering::Relaxed) - before, 4);
}

#[test]
fn slopes_are_those_of_the_closed_form_whether_captured_or_by_the_model() {
    // x² y + y³ with x = 0.5 + a + b, y = −0.25 + 2 b
    let closed = |a: f64, b: f64| {
        let (x, y) = (0.5 + a + b, -0.25 + 2.0 * b);
        let (dx, dy) = (2.0 * x * y, x * x + 3.0 * y * y);
        (
            x * x * y + y * y * y,
            [dx, dx + 2.0 * dy],
            2.0 * y + 4.0 * x,
        )
    };
    let cubic = |reads: bool| {
        Risk::mean([vector(&[1.0])], move |model: &Point, one: &Tensor<1>| {
            let at = model.at.val();
            if reads {
                let _: f64 = at.clone().sum().into_scalar();
            }
            let (x, y) = (at.clone().slice_dim(0, 0..1), at.slice_dim(0, 1..2));
            (x.square() * y.clone() + y.powi_scalar(3)) * one.clone()
        })
    };
    let share = Risk::mean([vector(&[1.0])], |model: &Point, _: &Tensor<1>| {
        model.at.val().greater_elem(0.0).float().mean()
    });
    let model = point(&[0.5, -0.25]);
    let (first, second) = (vector(&[1.0, 0.0]), vector(&[1.0, 2.0]));
    let quantities = [
        Quantity::of("captured", &cubic(false)),
        Quantity::of("by the model", &cubic(true)),
        Quantity::of("share", &share),
    ];
    let slice = Slice::along(&model, [&first, &second], quantities).unwrap();
    let points = [[0.0, 0.0], [0.75, -0.5], [-1.0, 1.0]];
    for (found, [a, b]) in slice.slopes(&points).unwrap().iter().zip(points) {
        let (value, slope, mixed) = closed(a, b);
        let near = |x: f64, y: f64| assert!((x - y).abs() < 1e-13 * (1.0 + y.abs()), "{x} {y}");
        for of in &found[..2] {
            near(of.value, value);
            near(of.slope[0], slope[0]);
            near(of.slope[1], slope[1]);
        }
        near(found[0].mixed.unwrap(), mixed);
        assert_eq!(found[1].mixed, None);
        assert_eq!(found[2].slope, [0.0, 0.0], "a share is flat");
    }
    let line = Slice::along(&model, [&second], [Quantity::of("loss", &cubic(false))]).unwrap();
    let [Slopes { slope, mixed, .. }] = line.slopes(&[[0.5]]).unwrap()[0][..] else {
        panic!("one quantity")
    };
    assert!((slope[0] - closed(0.0, 0.5).1[1]).abs() < 1e-13);
    assert_eq!(mixed, None);
}

#[test]
fn slices_between_models_have_all_quantities() {
    let (from, to) = (point(&[0.5, -0.25]), point(&[1.0, 2.0]));
    let doubled = Risk::mean(
        bowl().batches().clone(),
        |model: &Point, one: &Tensor<1>| model.at.val().sum() * one.clone(),
    );
    let quantities = [Quantity::of("loss", &bowl()), Quantity::of("sum", &doubled)];
    let slice = Slice::<_, 1>::between(
        &[&from, &to],
        &Buffers::<_, Tensor<1>>::Interpolate,
        quantities,
    )
    .unwrap()
    .within([0.0..=1.0])
    .unwrap();
    let found = slice.values(&[[0.0], [0.5], [1.0]], go_on).unwrap();
    let line = line_between(&from, &to, &bowl(), &Buffers::Interpolate, &[0.0, 0.5, 1.0]).unwrap();
    for ((values, loss), sum) in found.iter().zip(&line.loss).zip([0.25, 1.625, 3.0]) {
        assert_eq!(values[0], *loss, "a line is a slice");
        assert!((values[1] - sum).abs() < 1e-14);
    }
    let count = Slice::<_, 2>::between(
        &[&from, &to],
        &Buffers::<_, Tensor<1>>::Keep,
        [Quantity::of("loss", &bowl())],
    );
    assert!(matches!(
        count,
        Err(Error::Setting {
            name: "number of models",
            ..
        })
    ));
    let equal = Slice::<_, 1>::between(
        &[&from, &from],
        &Buffers::<_, Tensor<1>>::Interpolate,
        [Quantity::of("loss", &bowl())],
    );
    assert!(matches!(equal, Err(Error::NoDirection { .. })), "{equal:?}");
}

#[test]
fn directions_and_extents_that_are_none_are_refused() {
    let model = point(&[0.5, 0.0]);
    let of = |first: &[f64], second: &[f64]| {
        let loss = Quantity::of("loss", &bowl());
        Slice::along(&model, [&vector(first), &vector(second)], [loss]).unwrap_err()
    };
    for (first, second, problem) in [
        (
            &[1.0, 0.0],
            &[0.0, 0.0],
            "second direction of a plane is zero",
        ),
        (
            &[0.0, f64::NAN],
            &[0.0, 1.0],
            "first direction of a plane is not finite",
        ),
        (
            &[1.0, 3.0],
            &[-2.0, -6.0],
            "second direction of a plane is parallel",
        ),
        (
            &[1e-200, 0.0],
            &[1e200, 1e-7],
            "second direction of a plane is parallel",
        ),
    ] {
        let error = of(first, second);
        assert!(matches!(error, Error::NoDirection { .. }));
        assert!(error.to_string().contains(problem), "{error}");
    }
    let slice = || {
        let loss = Quantity::of("loss", &bowl());
        Slice::along(&model, [&vector(&[1.0, 0.0])], [loss]).unwrap()
    };
    let setting = |found: Result<(), Error>, name: &str| {
        let error = found.unwrap_err();
        assert!(
            matches!(&error, Error::Setting { name: found, .. } if *found == name),
            "{error}"
        );
    };
    #[expect(clippy::reversed_empty_ranges, reason = "it is refused")]
    let reversed = 1.0..=-1.0;
    for extent in [reversed, f64::NAN..=1.0, 0.0..=f64::INFINITY] {
        setting(slice().within([extent]).map(drop), "range of a coordinate");
    }
    setting(slice().values(&[[1.5]], go_on).map(drop), "coordinate");
    setting(slice().values(&[[f64::NAN]], go_on).map(drop), "coordinate");
    setting(
        slice().values(&[], go_on).map(drop),
        "number of grid points",
    );
    let none: [Quantity<Point>; 0] = [];
    let none = Slice::along(&model, [&vector(&[1.0, 0.0])], none).map(drop);
    setting(none, "number of quantities");
}

#[test]
fn model_with_nan_is_told_by_its_values() {
    let model = point(&[f64::NAN, 0.0]);
    let loss = Quantity::of("loss", &bowl());
    let slice = Slice::along(&model, [&vector(&[0.0, 1.0])], [loss]).unwrap();
    assert!(
        slice
            .values(&[[0.0], [1.0]], go_on)
            .unwrap()
            .concat()
            .iter()
            .all(|x| x.is_nan())
    );
}

#[test]
fn measuring_slices_changes_no_weight() {
    let net = Net::new();
    let space = ParameterSpace::of(&net).unwrap();
    let before = download(&space.flatten(&net).unwrap());
    let slice = plane(&net);
    slice.values(&[[0.1, 0.2]], go_on).unwrap();
    slice.slopes(&[[0.1, 0.2]]).unwrap();
    assert_eq!(download(&space.flatten(&net).unwrap()), before);
}

#[test]
fn refined_slices_are_those_of_their_values_and_may_be_cancelled() {
    let net = Net::new();
    let slice = plane(&net);
    let grid = Grid::rectangle((-1.0..=2.0, 31), (-0.5..=0.5, 23));
    // The accuracy decides: it has steps.
    let config = RefineConfig::new()
        .with_quantity(2)
        .with_accuracy(0.2)
        .with_start(5);
    let mut seen = vec![None; grid.len()];
    let found = refine(&slice, &grid, &config, |index, values| {
        assert_eq!(values.len(), 4, "all quantities");
        seen[index] = Some(values[2]);
        ControlFlow::Continue(())
    })
    .unwrap();
    let again = refine_with(&grid, &config, |indices| {
        Ok(indices.iter().map(|&index| seen[index].unwrap()).collect())
    });
    assert_eq!(
        again,
        Ok(found.clone()),
        "the points depend on the values alone"
    );
    assert_eq!(found.evaluations, seen.iter().flatten().count());
    let mut left = found.evaluations - 1;
    let stopped = refine(&slice, &grid, &config, |_, _| {
        left -= 1;
        if left == 0 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert_eq!(
        stopped,
        Err(Error::Cancelled {
            done: found.evaluations - 1
        })
    );
}
