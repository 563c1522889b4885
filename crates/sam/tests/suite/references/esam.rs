//! ESAM: which weights move, which examples are chosen, and the steps that follow.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};
use sam::{Esam, EsamConfig};

use super::device::{device, float_type};
use super::network::{Batch, Data, Twin, gradient, losses, weights};
use super::steps::{Momentum, norm, relative_difference, sum};
use super::{EXAMPLES, MOMENTUM, STEPS, bound, burn_sgd, learning_rate, rounding};

/// Which weights the step to come moves: a clone draws what the method will.
fn mask(method: &Esam, model: &Twin, batch: &Batch, data: &Data, reach: f64) -> Vec<bool> {
    let loss = model.losses_of_all(batch).mean();
    let g = GradientsParams::from_grads(loss.backward(), model);
    let peak = weights(&method.clone().ascend(model, &g).expect("a peak"));
    let w = weights(model);
    let g = gradient(&w, data, &data.all());
    let moved = sum(reach / norm(&g), &g, 0.0, &g);
    (0..w.len())
        .map(|i| {
            let e = peak[i] - w[i];
            // w + e has been rounded to half an ulp of numbers below 4, and so have the entries of
            // the gradient.
            assert!(
                e == 0.0 || (e - moved[i]).abs() < 9.0 * rounding(),
                "weight {i} moves by {e:e}, neither 0 nor {:e}",
                moved[i]
            );
            e != 0.0
        })
        .collect()
}

/// Du et al. 2022, algorithm 1: e = rho m g / (β ‖g‖) with m drawn for each weight (section
/// 3.1), and the mean gradient at w + e over the examples whose loss rose most (section 3.2).
#[test]
fn esam_agrees_with_du_et_al_given_the_weights_that_it_draws() {
    // The number of chosen examples is the share of twelve, rounded down, and one at least.
    for (beta, gamma, count) in [(0.5, 0.5, 6), (0.6, 1.0, 12), (1.0, 0.4, 4), (0.3, 0.05, 1)] {
        let rho = 0.3;
        let mut method = EsamConfig::new()
            .with_rho(rho)
            .with_beta(beta)
            .with_gamma(gamma)
            .with_seed(7)
            .init()
            .expect("settings in range");
        let mut model = Twin::new(1);
        let mut plain = weights(&model);
        let mut optim = burn_sgd();
        let mut momentum = Momentum::new(MOMENTUM);
        let mut largest = 0.0_f64;
        for step in 0..STEPS {
            let data = Data::new(100 + step, EXAMPLES);
            let batch = Batch::of(&data);
            let lr = learning_rate(step);
            let mask = mask(&method, &model, &batch, &data, rho / beta);
            let mut chosen = None;
            model = method
                .step_examples(&mut optim, lr, model, EXAMPLES, |m, rows| {
                    chosen = rows.indices().map(<[usize]>::to_vec);
                    m.losses(&batch, rows)
                })
                .expect("everything is finite")
                .model;

            let all = data.all();
            let g = gradient(&plain, &data, &all);
            let reach = rho / beta / norm(&g);
            let peak: Vec<f64> = (0..plain.len())
                .map(|i| plain[i] + if mask[i] { reach * g[i] } else { 0.0 })
                .collect();
            let before = losses(&plain, &data, &all);
            let after = losses(&peak, &data, &all);
            let rises = sum(1.0, &after, -1.0, &before);
            let rows = top(&rises, count);
            if gamma < 1.0 {
                assert_eq!(chosen.as_ref(), Some(&rows), "step {step}");
            }
            momentum.step(&mut plain, lr, &gradient(&peak, &data, &rows));
            largest = largest.max(relative_difference(&weights(&model), &plain));
        }
        let label = format!("ESAM, beta = {beta}, gamma = {gamma}");
        println!("{label:<44} largest difference {largest:.1e}");
        assert!(largest < bound(), "{label}: {largest:.1e}");
    }
}

/// The indices of the largest, by looking for one after the other.
fn top(values: &[f64], count: usize) -> Vec<usize> {
    let mut chosen = Vec::new();
    while chosen.len() < count {
        let mut best = None;
        for (index, value) in values.iter().enumerate() {
            let is_better = best.is_none_or(|best: usize| *value > values[best]);
            if !chosen.contains(&index) && is_better {
                best = Some(index);
            }
        }
        chosen.extend(best);
    }
    chosen.sort_unstable();
    chosen
}

/// Two parameters at zero, where the peak is the perturbation to the last bit.
#[derive(Module, Debug)]
struct Zeros {
    a: Param<Tensor<2>>,
    b: Param<Tensor<1>>,
}

const ROWS: usize = 40;
const COLUMNS: usize = 10;

impl Zeros {
    fn new() -> Self {
        let device = device().autodiff();
        Self {
            a: Param::from_tensor(Tensor::zeros([ROWS, COLUMNS], (&device, float_type()))),
            b: Param::from_tensor(Tensor::zeros([ROWS * COLUMNS], (&device, float_type()))),
        }
    }

    /// The numbers 1, 2, 3, ... in `a` and their negatives in `b`.
    fn gradients(&self) -> (GradientsParams, Vec<f64>) {
        let on = device();
        let count = ROWS * COLUMNS;
        let a: Vec<f64> = (1..=count).map(|i| i as f64).collect();
        let b: Vec<f64> = a.iter().map(|x| -x).collect();
        let mut gradients = GradientsParams::new();
        let data = TensorData::new(a.clone(), [ROWS, COLUMNS]);
        gradients.register(self.a.id, Tensor::<2>::from_data(data, (&on, float_type())));
        let data = TensorData::new(b.clone(), [count]);
        gradients.register(self.b.id, Tensor::<1>::from_data(data, (&on, float_type())));
        (gradients, [a, b].concat())
    }
}

/// The masks of so many steps, after checking that each entry is 0 or rho g / (β ‖g‖).
fn masks(beta: f64, seed: u64, steps: usize) -> Vec<Vec<bool>> {
    let model = Zeros::new();
    let rho = 0.05;
    let mut method = EsamConfig::new()
        .with_rho(rho)
        .with_beta(beta)
        .with_seed(seed)
        .init()
        .expect("settings in range");
    (0..steps)
        .map(|_| {
            let (gradients, g) = model.gradients();
            let length = norm(&g);
            let e = weights(&method.ascend(&model, &gradients).expect("a peak"));
            let _ = method
                .descend(&model, &gradients, Some(model.gradients().0))
                .expect("gradients");
            let moved = |e: f64, g: f64| {
                let expected = rho / beta * g / length;
                // Four roundings, and those of the norm's sum.
                assert!(e == 0.0 || (e / expected - 1.0).abs() < 90.0 * rounding());
                e != 0.0
            };
            e.iter().zip(&g).map(|(&e, &g)| moved(e, g)).collect()
        })
        .collect()
}

#[test]
fn perturbed_weights_are_independent_draws_with_probability_beta() {
    for beta in [0.2, 0.5, 0.9] {
        let masks = masks(beta, 3, 200);
        let half = ROWS * COLUMNS;
        let near = |what: &str, hits: usize, draws: usize, probability: f64| {
            let share = hits as f64 / draws as f64;
            let error = (probability * (1.0 - probability) / draws as f64).sqrt();
            println!("ESAM, beta = {beta}: {what} {share:.4}, expected {probability:.4}");
            assert!((share - probability).abs() < 4.0 * error, "{what}: {share}");
        };
        let count = |mask: &[bool]| mask.iter().filter(|moved| **moved).count();
        let perturbed = masks.iter().map(|mask| count(mask)).sum();
        near("perturbed", perturbed, masks.len() * 2 * half, beta);

        // Two independent draws agree with this probability: of one step and the next, and of the
        // same place in two parameters.
        let agreement = beta * beta + (1.0 - beta) * (1.0 - beta);
        let equal = |x: &[bool], y: &[bool]| x.iter().zip(y).filter(|(x, y)| x == y).count();
        let pairs = masks.chunks_exact(2);
        let draws = pairs.len() * 2 * half;
        let agreeing = pairs.map(|pair| equal(&pair[0], &pair[1])).sum();
        near("equal in the next step", agreeing, draws, agreement);
        let agreeing = masks
            .iter()
            .map(|mask| equal(&mask[..half], &mask[half..]))
            .sum();
        near(
            "equal in the other",
            agreeing,
            masks.len() * half,
            agreement,
        );
    }
}

#[test]
fn seed_decides_which_weights_move() {
    assert_eq!(masks(0.5, 1, 3), masks(0.5, 1, 3));
    assert_ne!(masks(0.5, 1, 3), masks(0.5, 2, 3));
}

/// Which of so many examples the second pass takes.
fn chosen(gamma: f64, examples: usize) -> usize {
    let model = Twin::new(1);
    let batch = Batch::of(&Data::new(5, examples));
    let mut method = EsamConfig::new()
        .with_gamma(gamma)
        .init()
        .expect("settings in range");
    let mut count = 0;
    let step = method.step_examples(&mut burn_sgd(), 0.1, model, examples, |m, rows| {
        count = rows.indices().map_or(examples, <[usize]>::len);
        m.losses(&batch, rows)
    });
    let cost = step.expect("everything is finite").measured.cost;
    let share = count as f64 / examples as f64;
    assert_eq!(cost.backward, 1.0 + share);
    assert_eq!(cost.forward, 2.0 + share);
    count
}

#[test]
fn as_many_examples_are_chosen_as_the_share_says_and_one_at_least() {
    for (gamma, examples, count) in [
        (0.5, 12, 6),
        (0.5, 7, 3),
        (0.05, 12, 1),
        (0.5, 1, 1),
        // The product in float64 is 28.999999999999996.
        (0.29, 100, 29),
    ] {
        assert_eq!(chosen(gamma, examples), count, "{gamma} of {examples}");
    }
}
