//! A hunt for false claims of symmetry: random networks whose hidden units are permuted by each
//! group that is found, and whose outputs Burn gives before and after.

use burn::module::{Module, Param};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{DType, Device, Int, Tensor, TensorData, activation, module};
use landscape::alignment::symmetries;
use landscape::{Error, Reduction, Risk};

use crate::groups::{difference, entries};
use crate::numbers::Numbers;

const WIDTH: usize = 6;
const ROWS: usize = 4;
const OPERATIONS: usize = 36;

/// Weights, used in any order and as often as the graph says.
#[derive(Module, Debug)]
struct Weights {
    /// `[WIDTH, WIDTH]`.
    square: Vec<Param<Tensor<2>>>,
    /// `[1, WIDTH]`.
    rows: Vec<Param<Tensor<2>>>,
    /// `[WIDTH, 2 WIDTH]`.
    wide: Vec<Param<Tensor<2>>>,
    /// `[2 WIDTH, WIDTH]`.
    narrow: Vec<Param<Tensor<2>>>,
    /// `[WIDTH, WIDTH, 3]`.
    kernels: Vec<Param<Tensor<3>>>,
    /// `[WIDTH WIDTH, WIDTH]`.
    pairs: Vec<Param<Tensor<2>>>,
    /// `[WIDTH, 3]`.
    out: Param<Tensor<2>>,
}

type Batch = (Tensor<2>, Tensor<1, Int>);

/// Between -0.7 and 0.7.
fn entry(part: f64) -> f64 {
    (part - 0.5) * 1.4
}

fn parameters<const D: usize>(
    numbers: &mut Numbers,
    count: usize,
    shape: [usize; D],
) -> Vec<Param<Tensor<D>>> {
    (0..count)
        .map(|_| Param::from_tensor(numbers.tensor(shape)))
        .collect()
}

/// One operation of a network, which of the values before it takes and which weights.
#[derive(Debug, Clone, Copy)]
struct Step {
    operation: usize,
    x: usize,
    y: usize,
    first: usize,
    second: usize,
}

fn pick<const D: usize>(weights: &[Param<Tensor<D>>], index: usize) -> Tensor<D> {
    weights[index % weights.len()].val()
}

/// Rows as positions and units as channels: `[1, WIDTH, ROWS]`.
fn channels(x: Tensor<2>) -> Tensor<3> {
    x.transpose().unsqueeze_dim(0)
}

fn rows_of(x: Tensor<3>) -> Tensor<2> {
    x.squeeze_dim::<2>(0).transpose()
}

fn apply(
    x: Tensor<2>,
    y: Tensor<2>,
    step: Step,
    weights: &Weights,
    labels: &Tensor<1, Int>,
) -> Tensor<2> {
    let (w, v) = (
        pick(&weights.square, step.first),
        pick(&weights.square, step.second),
    );
    let (r, s) = (
        pick(&weights.rows, step.first),
        pick(&weights.rows, step.second),
    );
    let narrow = pick(&weights.narrow, step.first);
    match step.operation {
        0..=3 => activation::relu(x.matmul(w)),
        4 => x.matmul(w).tanh() + r,
        5 => x * r,
        6 | 7 => x + y,
        8 => x * activation::sigmoid(y),
        9 => activation::softmax(x, 1),
        10 => {
            let centred = x.clone() - x.mean_dim(1);
            centred.clone() / (centred.square().mean_dim(1) + 0.1).sqrt() * r + s
        }
        11 => Tensor::cat(vec![x, y], 1).matmul(narrow),
        12 => {
            let both = x.matmul(pick(&weights.wide, step.first));
            let gate = activation::sigmoid(both.clone().slice_dim(1, 0..WIDTH));
            gate * both.slice_dim(1, WIDTH..2 * WIDTH)
        }
        // Normalised in two groups.
        13 => {
            let groups = x.reshape([ROWS, 2, WIDTH / 2]);
            let centred = groups.clone() - groups.mean_dim(2);
            let normal = centred.clone() / (centred.square().mean_dim(2) + 0.1).sqrt();
            normal.reshape([ROWS, WIDTH])
        }
        // Attention over the rows with two heads.
        14 => {
            let heads = |x: Tensor<2>| x.reshape([ROWS, 2, WIDTH / 2]).swap_dims(0, 1);
            let (q, k) = (heads(x.clone().matmul(w)), heads(y.matmul(v)));
            let scores = activation::softmax(q.matmul(k.swap_dims(1, 2)), 2);
            scores
                .matmul(heads(x))
                .swap_dims(0, 1)
                .reshape([ROWS, WIDTH])
        }
        15 => x.cumsum(1),
        16 => {
            let part = x.clone().slice_dim(1, 1..4);
            let zeros = Tensor::zeros([ROWS, 3], (&x.device(), DType::F64));
            Tensor::cat(vec![part, zeros], 1) + x
        }
        17 => x.flip([1]),
        18 | 19 => {
            let kernel = pick(&weights.kernels, step.first);
            let options = ConvOptions::new([1], [1], [1], 1);
            rows_of(module::conv1d(channels(x), kernel, None, options)).tanh()
        }
        20 => {
            let options = MaxPoolOptions::new([3]).with_stride([1]).with_padding([1]);
            rows_of(module::max_pool1d(channels(x), options))
        }
        21 => x
            .clone()
            .select(1, Tensor::from_ints([1, 0, 2, 2, 3, 5], &x.device())),
        22 => x.sort(1),
        23 => x.clone() - x.max_dim(1),
        24 => x.matmul(w.transpose()).tanh(),
        25 => x.matmul(w.matmul(v)).tanh(),
        26 => {
            let mask = y.clone().greater(r.expand([ROWS, WIDTH]));
            x.mask_where(mask, y)
        }
        27 => x.repeat_dim(1, 2).matmul(narrow),
        // A normalisation by stored statistics.
        28 => (x - r) / (s.square() + 0.1).sqrt(),
        29 => x + w.select(0, labels.clone()),
        // A convolution with a group for each channel.
        30 => {
            let kernel = pick(&weights.kernels, step.first).slice_dim(1, 0..1);
            let options = ConvOptions::new([1], [1], [1], WIDTH);
            rows_of(module::conv1d(channels(x), kernel, None, options))
        }
        // Products of all pairs of units.
        31 | 32 => {
            let all = x.unsqueeze_dim::<3>(2) * y.unsqueeze_dim::<3>(1);
            all.reshape([ROWS, WIDTH * WIDTH])
                .matmul(pick(&weights.pairs, step.first))
        }
        // Rows and units exchanged, in part.
        33 => {
            let mixed = x.clone().matmul(x.clone().transpose());
            activation::softmax(mixed, 1).matmul(x)
        }
        34 => {
            let flat = Tensor::cat(vec![x, y], 1).reshape([ROWS * 2, WIDTH]);
            flat.matmul(w)
                .tanh()
                .reshape([ROWS, 2 * WIDTH])
                .matmul(narrow)
        }
        35 => {
            let both = x
                .matmul(pick(&weights.wide, step.first))
                .reshape([ROWS, WIDTH, 2]);
            both.max_dim(2).squeeze_dim(2)
        }
        other => unreachable!("operation {other}"),
    }
}

fn outputs(model: &Weights, (x, labels): &Batch, steps: &[Step], direct: bool) -> Tensor<2> {
    let mut values = vec![x.clone()];
    for step in steps {
        // The last value often, so that the network is deep.
        let at = |index: usize| values[values.len() - 1 - index % values.len()].clone();
        let value = apply(at(step.x), at(step.y), *step, model, labels);
        values.push(value);
    }
    let last = values.pop().expect("the input at least");
    if direct {
        last
    } else {
        last.matmul(model.out.val())
    }
}

fn model(numbers: &mut Numbers) -> Weights {
    Weights {
        square: parameters(numbers, 9, [WIDTH, WIDTH]),
        rows: parameters(numbers, 5, [1, WIDTH]),
        wide: parameters(numbers, 4, [WIDTH, 2 * WIDTH]),
        narrow: parameters(numbers, 4, [2 * WIDTH, WIDTH]),
        kernels: parameters(numbers, 4, [WIDTH, WIDTH, 3]),
        pairs: parameters(numbers, 3, [WIDTH * WIDTH, WIDTH]),
        out: Param::from_tensor(numbers.tensor([WIDTH, 3])),
    }
}

/// What came of the networks.
#[derive(Debug, Default)]
struct Found {
    groups: usize,
    /// Networks with a group, and without.
    some: usize,
    none: usize,
    /// Groups that stand along several axes of one tensor.
    twice: usize,
    /// Networks that use none of their parameters.
    without_parameters: usize,
    worst: f64,
}

fn check(seed: u64, found: &mut Found) {
    let mut numbers = Numbers::new(seed, entry);
    let model = model(&mut numbers);
    let length = 3 + numbers.below(6);
    let mut steps: Vec<Step> = (0..length)
        .map(|_| Step {
            operation: numbers.below(OPERATIONS),
            x: numbers.below(3).saturating_sub(1),
            y: numbers.below(4),
            first: numbers.below(36),
            second: numbers.below(36),
        })
        .collect();
    // The inputs stay in order: a layer makes units of them first.
    steps[0].operation = 0;
    let direct = numbers.below(8) == 0;
    let labels = (0..ROWS).map(|_| i64::try_from(numbers.below(WIDTH)).expect("a label"));
    let labels = TensorData::new(labels.collect::<Vec<_>>(), [ROWS]);
    let batch: Batch = (
        numbers.tensor([ROWS, WIDTH]),
        Tensor::from_data(labels, &Device::flex()),
    );
    let graph = steps.clone();
    let risk = Risk::of(
        [batch.clone()],
        move |model: &Weights, batch: &Batch| outputs(model, batch, &graph, direct),
        |f: Tensor<2>, _: &Batch| f.square().mean(),
        Reduction::Mean,
    )
    .without_reduction_check();
    let name = || format!("network {seed}: {steps:?}, direct {direct}");
    let claims = match symmetries(&model, &risk) {
        Ok(claims) => claims,
        // Its outputs are operations on the inputs alone.
        Err(Error::Derivatives(derivatives::Error::Disconnected)) => {
            found.without_parameters += 1;
            return;
        }
        Err(error) => panic!("{}: {error}", name()),
    };
    // A claim that the crate's own check takes back is a false claim of the rules.
    assert!(
        claims.refused.is_empty(),
        "{}: {:?}",
        name(),
        claims.refused
    );
    let by_burn = |model: &Weights| entries(outputs(model, &batch, &steps, direct));
    let reference = by_burn(&model);
    found.groups += claims.groups.len();
    *(if claims.groups.is_empty() {
        &mut found.none
    } else {
        &mut found.some
    }) += 1;
    for (number, group) in claims.groups.iter().enumerate() {
        let mut places: Vec<&str> = group
            .places
            .iter()
            .map(|place| place.path.as_str())
            .collect();
        places.dedup();
        found.twice += usize::from(places.len() < group.places.len());
        // These two generate all permutations.
        for turn in [false, true] {
            let mut permutations = claims.identities();
            if turn {
                permutations[number].rotate_left(1);
            } else {
                permutations[number].swap(0, 1);
            }
            let permuted = claims.permute(&model, &permutations).expect("it fits");
            let difference = difference(&by_burn(&permuted), &reference);
            found.worst = found.worst.max(difference);
            // At most eight layers, each of which may raise rounding by some ten.
            assert!(
                difference < 1e-10,
                "{}: {} of {} units, {difference:.1e}",
                name(),
                group.name,
                group.units
            );
        }
    }
}

/// Returns the number of networks: the suite's share, or as many as `SYMMETRY_CLAIMS_NETWORKS`
/// says.
fn networks() -> u64 {
    let asked = std::env::var("SYMMETRY_CLAIMS_NETWORKS").ok();
    asked.map_or(150, |count| count.parse().expect("a number of networks"))
}

#[test]
fn every_symmetry_that_is_claimed_of_a_random_network_is_one() {
    let mut found = Found::default();
    for seed in 0..networks() {
        check(seed, &mut found);
    }
    println!("{found:?}");
    // All kinds do occur.
    assert!(
        found.groups > 100 && found.some > 40 && found.none > 5 && found.twice > 5,
        "{found:?}"
    );
}
