//! Measures before and after ReLU units are rescaled, which leaves the function as it is.

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{DType, Device, Tensor, TensorData, activation::relu};
use landscape::Risk;
use landscape::sharpness::{
    AscentConfig, AverageConfig, Ball, MinimaComparison, RandomBallConfig, Rescaling, Scale,
    ScaledTensors, SharpnessConfig, compare_minima,
};

use super::numbers;

/// Two hidden layers of ReLU units.
#[derive(Module, Debug)]
struct Net {
    layers: Vec<Linear>,
}

const WIDTHS: [usize; 4] = [4, 6, 5, 3];

fn tensor<const D: usize>(values: Vec<f64>, shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(
        TensorData::new(values, shape),
        (&Device::flex(), DType::F64),
    )
}

impl Net {
    /// Weights and biases times the units' factors of both hidden layers.
    fn rescaled(factors: [&[f64]; 2]) -> Self {
        let ones = [vec![1.0; WIDTHS[0]], vec![1.0; WIDTHS[3]]];
        let factors = [&ones[0], factors[0], factors[1], &ones[1]];
        let layers = (0..3)
            .map(|layer| {
                let (inputs, outputs) = (WIDTHS[layer], WIDTHS[layer + 1]);
                let seed = u32::try_from(layer).expect("a small number");
                let weights = numbers(inputs * outputs, seed)
                    .iter()
                    .enumerate()
                    .map(|(index, w)| {
                        // `[in, out]`: into unit `index % outputs`, out of `index / outputs`.
                        w * factors[layer + 1][index % outputs] / factors[layer][index / outputs]
                    })
                    .collect();
                let biases = numbers(outputs, seed + 10)
                    .iter()
                    .zip(factors[layer + 1])
                    .map(|(b, a)| 0.3 * b * a)
                    .collect();
                let mut linear = LinearConfig::new(inputs, outputs).init(&Device::flex());
                linear.weight = Param::from_tensor(tensor(weights, [inputs, outputs]));
                linear.bias = Some(Param::from_tensor(tensor(biases, [outputs])));
                linear
            })
            .collect();
        Self { layers }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let [first, second, last] = &self.layers[..] else {
            unreachable!("there are three layers");
        };
        last.forward(relu(second.forward(relu(first.forward(x)))))
    }
}

fn risk() -> Risk<Net, (Tensor<2>, Tensor<2>)> {
    let x = tensor(numbers(12 * 4, 21), [12, 4]);
    let y = tensor(numbers(12 * 3, 22), [12, 3]);
    Risk::mean([(x, y)], |model: &Net, (x, y): &(Tensor<2>, Tensor<2>)| {
        (model.forward(x.clone()) - y.clone()).square().mean()
    })
}

fn scales() -> [(Scale, Rescaling); 7] {
    let weights = |eta, tensors| Scale::Weights { eta, tensors };
    let filters = |eta, tensors| Scale::Filters { eta, tensors };
    use Rescaling::{Invariant, InvariantByLayer, NotInvariant};
    use ScaledTensors::{All, Matrices};
    [
        (Scale::One, NotInvariant),
        (Scale::ASAM, NotInvariant),
        (weights(0.0, Matrices), NotInvariant),
        (weights(0.01, All), NotInvariant),
        (weights(0.0, All), Invariant),
        (filters(0.0, All), InvariantByLayer),
        (filters(0.0, Matrices), NotInvariant),
    ]
}

fn table(factors: [&[f64]; 2]) -> MinimaComparison {
    let both = scales().map(|(scale, _)| {
        // Small enough for few kinks: sharpness is compared, not ascent across kinks.
        [Ball::l2(0.05), Ball::l_inf(0.01)].map(|ball| ball.with_scale(scale))
    });
    let averages = scales().map(|(scale, _)| {
        AverageConfig::new()
            .with_sigma(0.02)
            .with_scale(scale)
            .with_pairs(10)
    });
    let config = SharpnessConfig::new()
        .with_balls(both.into_iter().flatten().collect())
        .with_averages(averages.to_vec())
        .with_random(RandomBallConfig::new().with_directions(20))
        .with_ascent(Some(AscentConfig::new().with_random_starts(1)));
    let (plain, rescaled) = (
        Net::rescaled([&[1.0; 6], &[1.0; 5]]),
        Net::rescaled(factors),
    );
    let models = [("as it is", &plain), ("rescaled", &rescaled)];
    compare_minima(&models, &risk(), &config).expect("both can be measured")
}

/// Checks every row of a table; `whole_layers` says what was rescaled.
fn flags_are_right(table: &MinimaComparison, whole_layers: bool) {
    let mut seen = [0, 0];
    for row in table.rows() {
        let [one, other] = &row.measures[..] else {
            unreachable!("there are two models");
        };
        if row.name == "negative eigenvalues" {
            // A count may stay.
            assert_eq!(row.rescaling, Rescaling::NotInvariant);
            continue;
        }
        let moved = (one.value - other.value).abs() / one.value.abs().max(other.value.abs());
        let holds = match row.rescaling {
            Rescaling::Invariant => true,
            Rescaling::InvariantByLayer => whole_layers,
            Rescaling::NotInvariant => false,
        };
        let what = format!("{}, {}: {} {}", row.of, row.name, one.value, other.value);
        if holds {
            assert!(
                moved < 1e-8 || one.value == other.value,
                "{what} moved {moved:.1e}"
            );
        } else {
            assert!(moved > 1e-4, "{what} stayed, {moved:.1e}");
        }
        seen[usize::from(holds)] += 1;
    }
    assert!(seen[0] > 30 && seen[1] > 10, "{seen:?}");
}

#[test]
fn flags_say_what_rescaling_layers_moves() {
    // Not powers of two, which would round nothing.
    for a in [3.7, 0.045] {
        let table = table([&[a; 6], &[1.0 / (0.3 * a); 5]]);
        flags_are_right(&table, true);
    }
}

#[test]
fn flags_say_what_rescaling_single_units_moves() {
    let first = [0.3, 7.1, 1.9, 0.05, 3.3, 1.1];
    let table = table([&first, &[2.3, 0.7, 11.0, 0.4, 1.3]]);
    flags_are_right(&table, false);
}

/// Sylvester's law: the exact count stays. What does not is which eigenvalues are near zero beside
/// the largest, so that only factors near one show it.
#[test]
fn number_of_negative_eigenvalues_stays_under_mild_rescaling() {
    let table = table([&[1.3; 6], &[0.8; 5]]);
    let [plain, rescaled] = &table.reports[..] else {
        unreachable!("there are two models");
    };
    let negative = [plain, rescaled].map(|report| {
        let curvature = report.curvature.expect("it was asked for");
        assert!(curvature.exact);
        curvature.n_negative
    });
    assert_eq!(negative[0], negative[1]);
    assert!(negative[0] > 0);
}

#[test]
fn flags_are_those_of_the_scale() {
    for (scale, rescaling) in scales() {
        assert_eq!(scale.rescaling(), rescaling, "{scale}");
        assert_eq!(Ball::l_inf(0.1).with_scale(scale).rescaling(), rescaling);
    }
}

#[test]
fn table_is_80_columns_wide_and_has_every_measure_of_every_model() {
    let net = Net::rescaled([&[1.0; 6], &[1.0; 5]]);
    let names = ["a", "b", "a name that is too long for a column", "d"];
    let models = names.map(|name| (name, &net));
    let config = SharpnessConfig::new().with_random(RandomBallConfig::new().with_directions(3));
    let table = compare_minima(&models, &risk(), &config).unwrap();
    let text = table.to_string();
    println!("{text}");
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    for row in table.rows() {
        assert_eq!(row.measures.len(), 4);
        // Four models are in two tables.
        assert_eq!(
            text.matches(&format!("  {} ", row.name)).count() % 2,
            0,
            "{}",
            row.name
        );
        assert!(
            row.measures
                .iter()
                .all(|measure| *measure == row.measures[0])
        );
    }
    assert!(text.contains("a name that is~") && text.contains("l-inf ball, rho 0.01"));
}
