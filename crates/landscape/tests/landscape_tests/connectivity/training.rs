//! Gradients of the bends, and training by any of Burn's optimisers.

use std::ops::ControlFlow;
use std::sync::Arc;

use burn::data::dataloader::DataLoaderBuilder;
use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::InMemDataset;
use burn::module::Module;
use burn::nn::loss::{MseLoss, Reduction};
use burn::nn::{Linear, LinearConfig};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{
    AdamConfig, AdamWConfig, GradientsParams, ModuleOptimizer, RmsPropConfig, SgdConfig,
};
use burn::tensor::{DType, Device, Tensor, TensorData};
use landscape::connectivity::{
    Curve, CurveConfig, Shape, TrainedCurve, bend_gradient, profile, times, train_curve,
};
use landscape::slice::{Buffers, linspace};
use landscape::{Error, Risk, download};

use super::{Data, Point, double_well, go, height, near, point, vector};

fn wells(shape: Shape) -> Curve<Point> {
    Curve::between(&point(&[-1.0, 0.6]), &point(&[1.0, 0.6]), shape).expect("two points")
}

/// `(x² + y² − 1)²`: a circle of minima.
fn ring() -> Risk<Point, Data> {
    height(|x| (x.square().sum() - 1.0).square())
}

fn bends(curve: &Curve<Point>) -> Vec<Vec<f64>> {
    curve
        .bends()
        .iter()
        .map(|bend| download(&bend.at.val()))
        .collect()
}

#[test]
fn the_gradient_of_each_bend_is_that_of_the_mean_loss() {
    for shape in [Shape::Bezier, Shape::Chain { bends: 3 }] {
        let curve = wells(shape);
        let t = [0.1, 0.35, 0.5, 0.8];
        let risk = ring();
        let found = bend_gradient(&curve, &risk, &t).unwrap();
        let loss = |curve: &Curve<Point>| {
            let losses = t.map(|t| risk.value(&curve.at(t).unwrap()).unwrap());
            losses.iter().sum::<f64>() / 4.0
        };
        assert!((found.loss - loss(&curve)).abs() < 1e-15);
        // Central differences of a polynomial of degree four are off by h² third derivatives / 6.
        let h = 1e-4;
        for (k, gradient) in found.gradients.iter().enumerate() {
            let differences: Vec<f64> = (0..2)
                .map(|i| {
                    let moved = |step: f64| {
                        let mut all = bends(&curve);
                        all[k][i] += step;
                        let all: Vec<Point> = all.iter().map(|at| point(at)).collect();
                        let all: Vec<&Point> = all.iter().collect();
                        loss(&curve.clone().with_bends(&all).unwrap())
                    };
                    (moved(h) - moved(-h)) / (2.0 * h)
                })
                .collect();
            near(&download(gradient), &differences, 1e-7);
        }
    }
}

#[test]
fn a_loop_of_ones_own_gives_the_bends_of_train_curve_bit_for_bit() {
    let momentum = MomentumConfig::new().with_momentum(0.9);
    let optimiser = || {
        SgdConfig::new()
            .with_momentum(Some(momentum.clone()))
            .init()
    };
    for (shape, spaced) in [
        (Shape::Bezier, true),
        (Shape::Chain { bends: 2 }, false),
        (Shape::Chain { bends: 2 }, true),
    ] {
        let config = CurveConfig::new(0.05)
            .with_steps(25)
            .with_seed(5)
            .with_equal_spacing(spaced);
        let mut own = wells(shape);
        let mut by_hand = optimiser();
        let mut after = Vec::new();
        for (step, t) in times(5).take(25).enumerate() {
            let model = own.at(t).unwrap();
            let loss = (model.at.val().square().sum() - 1.0).square();
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            let gradients = own.bend_gradients(t, &gradients).unwrap();
            own.step(&mut by_hand, config.rate(step), gradients)
                .unwrap();
            if spaced {
                own.space_equally().unwrap();
            }
            after.push(bends(&own));
        }
        let mut seen = Vec::new();
        let trained = train_curve(wells(shape), &ring(), &mut optimiser(), &config, |step| {
            seen.push(step.t[0]);
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(seen, times(5).take(25).collect::<Vec<_>>());
        // The best bends are those after some step.
        let best = trained.best.step;
        assert!(best > 0 && trained.steps == 25);
        assert_eq!(bends(&trained.curve), after[best - 1], "{shape:?}");
    }
}

#[test]
fn every_optimiser_of_burn_lowers_the_mean_and_leaves_the_ends() {
    let momentum = MomentumConfig::new().with_momentum(0.9);
    let all: [(&str, ModuleOptimizer, f64); 5] = [
        ("SGD", SgdConfig::new().init(), 0.1),
        (
            "momentum",
            SgdConfig::new().with_momentum(Some(momentum)).init(),
            0.1,
        ),
        ("Adam", AdamConfig::new().init(), 0.05),
        ("AdamW", AdamWConfig::new().init(), 0.05),
        ("RMSprop", RmsPropConfig::new().init(), 0.02),
    ];
    for (name, mut optimiser, rate) in all {
        for shape in [Shape::Bezier, Shape::Chain { bends: 3 }] {
            let config = CurveConfig::new(rate).with_steps(300).with_points(2);
            let found = train_curve(wells(shape), &ring(), &mut optimiser, &config, go).unwrap();
            let [start, last] = [found.evaluations[0], *found.evaluations.last().unwrap()];
            println!("{name} {shape:?}: {:.4} to {:.4}", start.mean, last.mean);
            assert!(
                !found.diverged && last.mean < 0.25 * start.mean,
                "{name} {shape:?}"
            );
            assert_eq!(download(&found.curve.theta(0.0).unwrap()), [-1.0, 0.6]);
            assert_eq!(download(&found.curve.theta(1.0).unwrap()), [1.0, 0.6]);
            assert_eq!(found.evaluations.len(), 11);
            assert_eq!((found.steps, found.gradients), (300, 600));
        }
    }
}

#[test]
fn momentum_goes_on_for_bends_that_a_step_does_not_reach() {
    // L = 3x: the gradient of bend k at t is 3 cₖ(t), most often zero.
    let curve = Curve::between(&point(&[0.0]), &point(&[8.0]), Shape::Chain { bends: 7 }).unwrap();
    let momentum = MomentumConfig::new().with_momentum(0.5).with_dampening(0.0);
    let mut optimiser = SgdConfig::new().with_momentum(Some(momentum)).init();
    let config = CurveConfig::new(0.01)
        .with_steps(40)
        .with_final_fraction(1.0)
        .with_equal_spacing(false)
        .with_seed(11);
    let found = train_curve(
        curve,
        &height(|x| x.sum() * 3.0),
        &mut optimiser,
        &config,
        go,
    )
    .unwrap();
    let (mut places, mut speeds) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], [0.0; 7]);
    for t in times(11).take(40) {
        for k in 0..7 {
            // The hat of bend k over t, in segments.
            let share = (1.0 - (t * 8.0 - (k + 1) as f64).abs()).max(0.0);
            speeds[k] = 0.5 * speeds[k] + 3.0 * share;
            places[k] -= 0.01 * speeds[k];
        }
    }
    let found: Vec<f64> = bends(&found.curve).into_iter().flatten().collect();
    near(&found, &places, 1e-12);
}

#[test]
fn batches_weigh_as_in_the_risk_in_the_steps_of_a_pass() {
    // L = mean(x) θ over 1, 1, 1, 1 and 6: the mean is 2, that of the batches 3.5.
    let batches = [vec![1.0; 4], vec![6.0]].map(|x| vector(&x, &Device::flex()));
    let risk = Risk::mean(batches, |point: &Point, x: &Data| {
        x.clone().mean() * point.at.val()
    });
    let start = Curve::between(&point(&[0.0]), &point(&[2.0]), Shape::Bezier).unwrap();
    // 400 points of t in equal parts have ∫ 2t(1 − t) dt = 1/3 as the mean coefficient.
    let config = CurveConfig::new(0.1)
        .with_steps(2)
        .with_points(400)
        .with_final_fraction(1.0);
    let found = train_curve(start, &risk, &mut SgdConfig::new().init(), &config, go).unwrap();
    let moved = 1.0 - bends(&found.curve)[0][0];
    // Two steps of 0.1 · 2 / 3.
    assert!((moved - 0.4 / 3.0).abs() < 1e-4, "{moved}");
}

#[test]
fn a_training_repeats_bit_for_bit_and_another_seed_gives_another() {
    let train = |seed| {
        let config = CurveConfig::new(0.05).with_steps(20).with_seed(seed);
        let mut optimiser = AdamConfig::new().init();
        let found = train_curve(wells(Shape::Bezier), &ring(), &mut optimiser, &config, go);
        bends(&found.unwrap().curve)
    };
    assert_eq!(train(1), train(1));
    assert_ne!(train(1), train(2));
}

#[test]
fn a_learning_rate_that_diverges_is_flagged_and_the_best_bends_are_kept() {
    let train = |rate| {
        let config = CurveConfig::new(rate).with_steps(200).with_seed(2);
        let mut optimiser = SgdConfig::new().init();
        train_curve(
            wells(Shape::Bezier),
            &double_well(),
            &mut optimiser,
            &config,
            go,
        )
        .unwrap()
    };
    let found: TrainedCurve<Point> = train(1e3);
    assert!(found.diverged && found.steps < 200, "{} steps", found.steps);
    assert!(found.evaluations.iter().all(|e| e.mean >= found.best.mean));
    assert!(found.best.mean.is_finite());
    let kept = bends(&found.curve);
    assert!(kept[0].iter().all(|entry| entry.is_finite()), "{kept:?}");
    assert!(!train(0.01).diverged);
}

#[test]
fn an_observer_that_stops_gets_what_was_trained_until_then() {
    let config = CurveConfig::new(0.05).with_steps(100);
    let mut optimiser = SgdConfig::new().init();
    let found = train_curve(
        wells(Shape::Bezier),
        &ring(),
        &mut optimiser,
        &config,
        |step| {
            if step.step == 7 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        },
    )
    .unwrap();
    assert_eq!(
        (found.steps, found.best.step, found.diverged),
        (7, 7, false)
    );
    assert_eq!(found.evaluations.len(), 2);
}

/// Two networks of one architecture, loaded separately, on the device without autodiff.
#[test]
fn models_without_autodiff_and_in_f32_are_trained_too() {
    let device = Device::flex();
    let numbers = |len: usize, speed: f32| {
        let values: Vec<f32> = (0..len).map(|i| (speed * i as f32 + 0.3).sin()).collect();
        TensorData::new(values, [len / 3, 3])
    };
    let batch = (
        Tensor::<2>::from_data(numbers(36, 0.7), &device),
        Tensor::<2>::from_data(numbers(36, 1.9), &device),
    );
    let net = |speed| {
        let mut net: Linear = LinearConfig::new(3, 3).with_bias(false).init(&device);
        net.weight = net
            .weight
            .map(|_| Tensor::from_data(numbers(9, speed), &device));
        net
    };
    let risk = Risk::mean(batch, |net: &Linear, (x, y): &(Tensor<2>, Tensor<2>)| {
        MseLoss::new().forward(net.forward(x.clone()).tanh(), y.clone(), Reduction::Mean)
    });
    let curve = Curve::between(&net(2.1), &net(3.3), Shape::Bezier).unwrap();
    assert_eq!(curve.bends()[0].weight.val().dtype(), DType::F32);
    let before = profile(
        &curve,
        &risk,
        &Buffers::Interpolate,
        &linspace(0.0..=1.0, 9),
    )
    .unwrap();
    let config = CurveConfig::new(0.5).with_steps(100);
    let mut optimiser = SgdConfig::new().init();
    let found = train_curve(curve, &risk, &mut optimiser, &config, go).unwrap();
    let after = profile(
        &found.curve,
        &risk,
        &Buffers::Interpolate,
        &linspace(0.0..=1.0, 9),
    );
    assert!(after.unwrap().mean < before.mean);
}

#[derive(Clone)]
struct Rows;

impl Batcher<f64, Data> for Rows {
    fn batch(&self, items: Vec<f64>, device: &Device) -> Data {
        vector(&items, device)
    }
}

#[test]
fn streamed_batches_train_as_held_ones_in_their_order() {
    let device = Device::flex();
    let loss = |point: &Point, x: &Data| (x.clone() * point.at.val() - 1.0).square().mean();
    let loader = DataLoaderBuilder::new(Rows)
        .batch_size(2)
        .set_device(device.clone())
        .build(InMemDataset::new(vec![1.0, 2.0, 3.0, 4.0]));
    let streamed = Risk::mean(Arc::clone(&loader), loss);
    // The one pass through held batches in the loader's order, by hand.
    let mut own = Curve::between(&point(&[0.0]), &point(&[2.0]), Shape::Bezier).unwrap();
    let start = own.clone();
    let config = CurveConfig::new(0.01)
        .with_steps(5)
        .with_final_fraction(1.0);
    let mut optimiser = SgdConfig::new().init();
    for (step, t) in times(0).take(5).enumerate() {
        let x = [[1.0, 2.0], [3.0, 4.0]][step % 2];
        let model = own.at(t).unwrap();
        let loss = loss(&model, &vector(&x, &device.clone().autodiff()));
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        let gradients = own.bend_gradients(t, &gradients).unwrap();
        own.step(&mut optimiser, 0.01, gradients).unwrap();
    }
    let mut optimiser = SgdConfig::new().init();
    let found = train_curve(start, &streamed, &mut optimiser, &config, go).unwrap();
    assert_eq!(found.steps, 5);
    near(&bends(&found.curve)[0], &bends(&own)[0], 1e-14);
}

#[test]
fn gradients_of_another_model_are_refused() {
    let mut curve = wells(Shape::Bezier);
    let other = point(&[1.0, 1.0]);
    let gradients = GradientsParams::from_grads(other.at.val().sum().backward(), &other);
    let found = curve.bend_gradients(0.5, &gradients);
    assert_eq!(found.unwrap_err(), Error::Disconnected { index: 0 });
    let found = curve.step(&mut SgdConfig::new().init(), 0.1, Vec::new());
    assert!(found.unwrap_err().to_string().contains("gradients"));
    // Bends have ids of their own, so an optimiser's state of the ends does not reach them.
    assert_ne!(curve.bends()[0].at.id, curve.ends()[0].at.id);
    assert_eq!(curve.at(0.5).unwrap().at.id, curve.ends()[0].at.id);
    assert!(curve.ends()[0].clone().devices()[0].is_autodiff());
}
