//! A random model with a random loss on random batches, from a seed.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use burn::module::Module;
use burn::nn::EmbeddingConfig;
use burn::nn::loss::{
    CrossEntropyLossConfig, HuberLossConfig, KLDivLossConfig, MseLoss, Reduction, SmoothL1LossConfig,
};
use burn::tensor::{DType, Device, FloatDType, Tensor, TensorData, activation};

use super::compare::quietly;
use super::layer::{self, Adapt, Fill};
use super::node::{Net, Node, Normalising};
use super::operation;
use super::random::Random;
use super::scene::{Criterion, Data, Recipe, Run, Scene, Step, Way, noise};
use super::value::{Value, joined, mapped};

/// What a case has that may matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Feature {
    Adapters,
    BatchNorm,
    BatchNormOnData,
    BatchStatistics,
    Buffers,
    Detached,
    Dropout,
    EqualIds,
    Frozen,
    FrozenCopy,
    InnerDerivative,
    Large,
    Outside,
    ReadsActivation,
    ReadsData,
    ReadsParameter,
    Ragged,
    Repeated,
    Several,
    Single,
    SinglePrecision,
    Streamed,
    Summed,
    SwallowedRead,
    TimeFirst,
    TimeFirstUncounted,
    Tokens,
    Torn,
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// Whether outputs and loss are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Together,
    Apart,
}

/// A case.
pub(super) struct Case {
    pub(super) seed: u64,
    /// On the autodiff device.
    pub(super) net: Net,
    pub(super) recipe: Recipe,
    pub(super) batches: Vec<Data>,
    pub(super) form: Form,
    pub(super) features: BTreeSet<Feature>,
    /// Rank of the outputs.
    pub(super) rank: usize,
}

impl Case {
    pub(super) fn has(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }

    pub(super) fn normalising(&self) -> Normalising {
        if self.has(Feature::BatchStatistics) {
            Normalising::WrittenOut
        } else {
            Normalising::AsBurn
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes: Vec<String> = self
            .batches
            .iter()
            .map(|data| format!("{:?}", data.x.dims()))
            .collect();
        let features: Vec<String> = self.features.iter().map(Feature::to_string).collect();
        writeln!(
            f,
            "    {:?}, batches {}; {}",
            self.form,
            sizes.join(" "),
            features.join(", ")
        )?;
        write!(f, "{}", self.recipe)
    }
}

/// The largest tensor of a case.
const MOST: usize = 3000;

struct Build {
    random: Random,
    device: Device,
    net: Net,
    /// The same without autodiff.
    plain: Net,
    batches: Vec<Data>,
    /// Values of each batch.
    values: Vec<Vec<Value>>,
    steps: Vec<Step>,
    /// Of each value, whether it depends on a parameter.
    moves: Vec<bool>,
    features: BTreeSet<Feature>,
}

/// The case of a seed.
pub(super) fn case(seed: u64) -> Case {
    let mut attempt = 0;
    loop {
        if let Some(case) = attempted(seed, attempt) {
            return case;
        }
        attempt += 1;
        assert!(attempt < 200, "no case for seed {seed}");
    }
}

fn attempted(seed: u64, attempt: u64) -> Option<Case> {
    let mut random = Random::new(seed.wrapping_mul(1009).wrapping_add(attempt << 40));
    let mut features = BTreeSet::new();
    let batches = batches(&mut random, &mut features);
    let mut build = Build {
        random,
        device: Device::flex().autodiff(),
        net: Net { nodes: Vec::new() },
        plain: Net { nodes: Vec::new() },
        values: batches.iter().map(|data| vec![data.x.clone()]).collect(),
        batches,
        steps: Vec::new(),
        moves: vec![false],
        features,
    };
    if build.features.contains(&Feature::Tokens) {
        build.embedding();
    }
    build.parameters()?;
    let special = build.random.once_in(3);
    let count = build.random.between(2, 9);
    let at = build.random.below(count);
    for number in 0..count {
        build.step();
        if special && number == at {
            build.special();
        }
    }
    build.finished(seed)
}

fn batches(random: &mut Random, features: &mut BTreeSet<Feature>) -> Vec<Data> {
    let sizes: &[usize] = match random.below(40) {
        0..8 => &[4],
        8..12 => &[1],
        12..17 => &[3],
        17..21 => &[5, 5],
        21..26 => &[5, 2],
        26..31 => &[4, 1],
        31..34 => &[3, 3, 1],
        34..37 => &[6, 4, 2],
        37..39 => &[9],
        _ => &[600],
    };
    if sizes.len() > 1 {
        features.insert(Feature::Several);
    }
    if sizes.iter().any(|size| *size != sizes[0]) {
        features.insert(Feature::Ragged);
    }
    if sizes.contains(&1) {
        features.insert(Feature::Single);
    }
    let large = sizes == [600];
    if large {
        features.insert(Feature::Large);
    }
    let kind = if large { 0 } else { random.below(10) };
    let (a, b) = (random.between(2, 4), random.between(3, 4));
    let time_first = kind == 9;
    let counted = !time_first || !random.once_in(5);
    if kind == 8 {
        features.insert(Feature::Tokens);
    }
    if time_first {
        features.insert(if counted {
            Feature::TimeFirst
        } else {
            Feature::TimeFirstUncounted
        });
    }
    let device = Device::flex();
    sizes
        .iter()
        .map(|&rows| {
            let dims = match kind {
                0..4 => vec![rows, a],
                4..6 => vec![rows, a, b],
                6..8 => vec![rows, a.min(3), b, 3],
                8 => vec![rows, 2],
                _ => vec![a, rows, 3],
            };
            let entries = random.normals(dims.iter().product());
            let steps = 4;
            let tokens: Vec<i64> = (0..rows)
                .flat_map(|_| {
                    let kept = random.between(1, steps);
                    (0..steps)
                        .map(|t| i64::from(t < kept) * (1 + i64::try_from(random.below(4)).expect("small")))
                        .collect::<Vec<_>>()
                })
                .collect();
            let labels: Vec<i64> = (0..rows)
                .map(|_| i64::try_from(random.below(3)).expect("small"))
                .collect();
            Data {
                x: Value::of(entries, &dims, &device),
                tokens: Tensor::from_data(TensorData::new(tokens, [rows, steps]), &device),
                targets: Tensor::from_data(
                    TensorData::new(random.normals(rows * 3), [rows, 3]),
                    (&device, DType::F64),
                ),
                labels: Tensor::from_data(TensorData::new(labels, [rows]), &device),
                counted,
                time_first,
            }
        })
        .collect()
}

impl Build {
    /// Adds a step, if it runs on all batches and gives usable values.
    fn try_step(&mut self, label: String, inputs: Vec<usize>, run: Run) -> bool {
        let mut added = Vec::new();
        for (data, values) in self.batches.iter().zip(&self.values) {
            let inputs: Vec<Value> = inputs.iter().map(|&i| values[i].clone()).collect();
            let scene = Scene {
                net: &self.plain,
                data,
                way: &Way::Plain(Normalising::AsBurn),
            };
            let Ok(value) = quietly(|| run(&scene, &inputs)) else {
                return false;
            };
            let most = if data.rows() > 100 { 20 * MOST } else { MOST };
            if value.len() == 0 || value.len() > most || !operation::is_double(&value) {
                return false;
            }
            let usable = |x: &f64| x.is_finite() && x.abs() < 30.0;
            if !value.entries().iter().all(usable) {
                return false;
            }
            added.push(value);
        }
        for (values, value) in self.values.iter_mut().zip(added) {
            values.push(value);
        }
        let of_inputs = inputs.iter().any(|&input| self.moves[input]);
        if label.ends_with(": BatchNorm") && !of_inputs {
            self.features.insert(Feature::BatchNormOnData);
        }
        self.moves.push(of_inputs || label.starts_with("node"));
        self.steps.push(Step { label, inputs, run });
        true
    }

    fn add_node(&mut self, node: Node) -> usize {
        self.plain.nodes.push(node.valid());
        self.net.nodes.push(node);
        self.net.nodes.len() - 1
    }

    fn remove_node(&mut self) {
        self.plain.nodes.pop();
        self.net.nodes.pop();
    }

    fn last(&self) -> usize {
        self.steps.len()
    }

    fn dims(&self, index: usize) -> Vec<usize> {
        self.values[0][index].dims()
    }

    /// A recent value more often than an old one.
    fn pick(&mut self) -> usize {
        let last = self.last();
        if self.random.once_in(3) {
            self.random.below(last + 1)
        } else {
            last
        }
    }

    fn layer_step(&mut self, node: usize, input: usize) -> bool {
        let name = match &self.net.nodes[node] {
            Node::Block(_) => "Block".to_owned(),
            layer => {
                let text = format!("{layer:?}");
                text.split(['(', ' ']).next().unwrap_or("?").to_owned()
            }
        };
        self.try_step(
            format!("node {node}: {name}"),
            vec![input],
            Arc::new(move |scene, x| {
                scene.net.nodes[node].forward(x[0].clone(), scene.normalising())
            }),
        )
    }

    /// A layer that is new, repeated, or a copy with the same identifiers.
    fn layer(&mut self) -> bool {
        let input = self.pick();
        let nodes = self.net.nodes.len();
        if nodes > 0 && self.random.once_in(5) {
            let node = self.random.below(nodes);
            if self.random.once_in(3) {
                let copy = self.net.nodes[node].clone();
                let copy = self.add_node(copy);
                if self.layer_step(copy, input) {
                    self.features.insert(Feature::EqualIds);
                    return true;
                }
                self.remove_node();
                return false;
            }
            let done = self.layer_step(node, input);
            if done {
                self.features.insert(Feature::Repeated);
            }
            return done;
        }
        let dims = self.dims(input);
        let Some(mut node) = layer::proposed(&mut self.random, &dims, &self.device) else {
            return false;
        };
        let mut fill = Fill::new(&mut self.random);
        if fill.random.once_in(8) {
            fill.freezes = Some(2);
            self.features.insert(Feature::Frozen);
        }
        node = node.map(&mut fill);
        match &node {
            Node::BatchNorm(_) => {
                self.features.insert(Feature::BatchNorm);
            }
            Node::Dropout(_) => {
                self.features.insert(Feature::Dropout);
            }
            Node::Block(block) if block.inside.len() > 1 => {
                self.features.insert(Feature::EqualIds);
            }
            Node::Block(_) => {
                self.features.insert(Feature::Buffers);
            }
            _ => {}
        }
        let single = contains_rms_norm(&node);
        let node = self.add_node(node);
        let done = self.layer_step(node, input);
        if !done {
            self.remove_node();
        } else if single {
            self.features.insert(Feature::SinglePrecision);
        }
        done
    }

    fn operation(&mut self) -> bool {
        let input = self.pick();
        let rank = self.dims(input).len();
        let mut inputs = vec![input];
        let (label, run) = match self.random.below(10) {
            0..3 => operation::entrywise(&mut self.random),
            3..5 => operation::along(&mut self.random, rank),
            5 => operation::shape(&mut self.random, rank),
            6 => operation::indexed(&mut self.random, rank),
            7 if rank == 4 => operation::spatial(&mut self.random),
            _ => {
                inputs.push(self.pick());
                operation::pair(&mut self.random)
            }
        };
        self.try_step(label, inputs, run)
    }

    fn step(&mut self) {
        for _ in 0..20 {
            let done = if self.random.once_in(3) {
                self.layer()
            } else {
                self.operation()
            };
            if done {
                return;
            }
        }
    }

    fn embedding(&mut self) {
        let width = self.random.between(2, 4);
        let node = Node::Embedding(EmbeddingConfig::new(6, width).init(&self.device));
        let node = layer::filled(node, &mut self.random);
        let node = self.add_node(node);
        self.try_step(
            format!("node {node}: embedding of the tokens"),
            vec![0],
            Arc::new(move |scene, _| scene.net.nodes[node].embed(scene.data.tokens.clone())),
        );
    }

    /// Parameters without a layer, so that there always are some.
    fn parameters(&mut self) -> Option<()> {
        let input = self.last();
        let width = *self.dims(input).last()?;
        let tied = self.random.once_in(4);
        let node = layer::loose(width, tied, &self.device);
        let node = layer::filled(node, &mut self.random);
        let node = self.add_node(node);
        if tied {
            self.features.insert(Feature::EqualIds);
        }
        let kind = self.random.below(4);
        let done = self.try_step(
            format!("node {node}: loose parameters, way {kind}"),
            vec![input],
            Arc::new(move |scene, x| {
                let Node::Loose(loose) = &scene.net.nodes[node] else {
                    panic!("loose parameters")
                };
                let matrix = match &loose.again {
                    Some(again) => loose.matrix.val() + again.val().sin(),
                    None => loose.matrix.val(),
                };
                match (kind, x[0].clone()) {
                    (0, x) => mapped!(x, x => x * loose.vector.val().unsqueeze()),
                    (1, x) => {
                        mapped!(x, x => (x + loose.pair.1[0].val().unsqueeze()) * loose.pair.0.val().unsqueeze())
                    }
                    (_, Value::Two(x)) => Value::Two(x.matmul(matrix)),
                    (_, Value::Three(x)) => Value::Three(x.matmul(matrix.unsqueeze())),
                    (_, Value::Four(x)) => Value::Four(x.matmul(matrix.unsqueeze())),
                    (_, Value::One(x)) => Value::One(x * loose.vector.val()),
                }
            }),
        );
        done.then_some(())
    }

    /// One of the features that need care.
    fn special(&mut self) {
        let input = self.last();
        match self.random.below(9) {
            0 | 1 => {
                let done = self.try_step(
                    "x sin(detached x)".to_owned(),
                    vec![input],
                    Arc::new(|scene, x| {
                        let stopped = scene.stop(x[0].clone());
                        joined!(x[0].clone(), stopped, x, y => x * y.sin())
                    }),
                );
                if done {
                    self.features.insert(Feature::Detached);
                }
            }
            2 => self.reads_parameter(input),
            3 => {
                let done = self.try_step(
                    "x / (1 + max |x| read)".to_owned(),
                    vec![input],
                    Arc::new(|scene, x| {
                        let read = scene.read(|| largest(&x[0].entries()));
                        mapped!(x[0].clone(), x => x * (1.0 / (1.0 + read)))
                    }),
                );
                if done {
                    self.features.insert(Feature::ReadsActivation);
                }
            }
            4 => {
                let done = self.try_step(
                    "x / (1 + max |data| read)".to_owned(),
                    vec![input],
                    Arc::new(|scene, x| {
                        let read = scene.read(|| largest(&scene.data.x.entries()));
                        mapped!(x[0].clone(), x => x * (1.0 / (1.0 + read)))
                    }),
                );
                if done {
                    self.features.insert(Feature::ReadsData);
                }
            }
            5 => {
                let done = self.try_step(
                    "x times a read that may fail".to_owned(),
                    vec![input],
                    Arc::new(|scene, x| {
                        let mean = x[0].clone().flat().mean();
                        let read = scene.read(|| mean.try_into_scalar::<f64>().map_or(1.0, |m| 2.0 + m.tanh()));
                        mapped!(x[0].clone(), x => x * read)
                    }),
                );
                if done {
                    self.features.insert(Feature::SwallowedRead);
                }
            }
            6 => self.inner_derivative(),
            7 => {
                let seed = self.random.next();
                let width = *self.dims(input).last().expect("an axis");
                let outside: Tensor<1> = Tensor::from_data(
                    TensorData::new(noise(seed, width), [width]),
                    (&Device::flex(), DType::F64),
                );
                let done = self.try_step(
                    "x times a tensor from outside".to_owned(),
                    vec![input],
                    Arc::new(move |_, x| mapped!(x[0].clone(), x => x * outside.clone().unsqueeze())),
                );
                if done {
                    self.features.insert(Feature::Outside);
                }
            }
            _ => self.torn(),
        }
    }

    fn reads_parameter(&mut self, input: usize) {
        let Some(node) = self.net.nodes.iter().position(|node| matches!(node, Node::Loose(_))) else {
            return;
        };
        let kind = self.random.below(3);
        let done = self.try_step(
            format!("x times what is read of a parameter, way {kind}"),
            vec![input],
            Arc::new(move |scene, x| {
                let Node::Loose(loose) = &scene.net.nodes[node] else {
                    panic!("loose parameters")
                };
                let read = scene.read(|| {
                    let entries: Vec<f64> = loose.matrix.val().to_data().iter::<f64>().collect();
                    match kind {
                        0 => 1.0 / (0.5 + largest(&entries)),
                        1 => if entries[0] > 0.0 { 0.6 } else { 1.4 },
                        _ => entries.iter().filter(|entry| entry.abs() > 0.3).count() as f64 * 0.2,
                    }
                });
                mapped!(x[0].clone(), x => x * read)
            }),
        );
        if done {
            self.features.insert(Feature::ReadsParameter);
        }
    }

    /// The derivative of a layer's outputs in the batch's input.
    fn inner_derivative(&mut self) {
        let width = match self.values[0][0].dims()[..] {
            [_, width] => width,
            _ => return,
        };
        let linear = burn::nn::LinearConfig::new(width, 3).init(&self.device);
        let node = layer::filled(Node::Linear(linear), &mut self.random);
        let node = self.add_node(node);
        let again = self.random.once_in(2);
        let done = self.try_step(
            format!("node {node}: du/dx of tanh(Linear), once more {again}"),
            vec![0],
            Arc::new(move |scene, x| {
                let Value::Two(x) = x[0].clone() else {
                    panic!("a matrix")
                };
                let Node::Linear(layer) = &scene.net.nodes[node] else {
                    panic!("a linear layer")
                };
                // The measured closure takes what it is given; where there is no autodiff it makes some.
                let x = if x.is_autodiff() {
                    x.detach().require_grad()
                } else {
                    Tensor::from_inner(x).require_grad()
                };
                let layer = match scene.way {
                    Way::Measured => layer.clone(),
                    _ => layer.clone().train(),
                };
                let u = layer.forward(x.clone()).tanh();
                let gradients = u.clone().sum().backward();
                let slope = x.grad(&gradients).expect("a gradient");
                match scene.way {
                    Way::Measured if again => Value::Two(Tensor::from_inner(slope) + u.mean().unsqueeze()),
                    Way::Measured => Value::Two(Tensor::from_inner(slope)),
                    _ if again => Value::Two(slope + u.mean().unsqueeze().inner()),
                    _ => Value::Two(slope),
                }
            }),
        );
        if done {
            self.features.insert(Feature::InnerDerivative);
        } else {
            self.remove_node();
        }
    }

    /// A copy of a layer with its identifiers and other numbers, or other flags.
    fn torn(&mut self) {
        let input = self.last();
        let node = self.random.below(self.net.nodes.len());
        let copy = self.net.nodes[node].clone();
        let (copy, feature) = if self.random.once_in(2) {
            let mut fill = Fill::new(&mut self.random);
            fill.tears = true;
            (copy.map(&mut fill), Feature::Torn)
        } else {
            (copy.no_grad(), Feature::FrozenCopy)
        };
        let copy = self.add_node(copy);
        if self.layer_step(copy, input) {
            self.features.insert(feature);
        } else {
            self.remove_node();
        }
    }

    fn finished(mut self, seed: u64) -> Option<Case> {
        if self.random.once_in(2) {
            self.head();
        }
        let mut output = self.last();
        // Outputs told apart have a row for each example, two axes or three.
        let mut form = Form::Together;
        if self.random.once_in(2) {
            form = Form::Apart;
            if !matches!(self.dims(output).len(), 2 | 3) {
                let (label, run): (&str, Run) = ("as a matrix", Arc::new(|_, x| {
                    let (rows, len) = (x[0].dims()[0], x[0].len());
                    x[0].clone().reshape(&[rows, len / rows])
                }));
                if !self.try_step(label.to_owned(), vec![output], run) {
                    return None;
                }
                output = self.last();
            }
        }
        let rank = self.dims(output).len();
        let criterion = self.criterion(output);
        for (data, values) in self.batches.iter().zip(&self.values) {
            let loss = quietly(|| {
                let loss = (criterion.1)(data, values[output].clone());
                loss.to_data().iter::<f64>().next()
            });
            let loss = loss.ok().flatten()?;
            if !(loss.is_finite() && loss.abs() < 1e3) {
                return None;
            }
        }
        let mut beside = Vec::new();
        if form == Form::Together {
            for _ in 0..self.random.below(3) {
                beside.push((self.random.below(self.last() + 1), 0.3));
            }
        }
        if self.features.contains(&Feature::BatchNorm) && self.random.once_in(2) {
            self.features.insert(Feature::BatchStatistics);
        }
        if form == Form::Apart && self.random.once_in(4) {
            self.features.insert(Feature::Summed);
        }
        if self.random.once_in(12) {
            self.features.insert(Feature::Streamed);
        }
        let mut net = self.net;
        if self.random.once_in(15) {
            // The base moves with its adapters, or is frozen.
            let freezes = self.random.once_in(2);
            net = net.apply_reparameterization(Adapt { freezes });
            net = net.map(&mut Fill::new(&mut self.random));
            self.features.insert(Feature::Adapters);
        }
        let recipe = Recipe {
            steps: self.steps,
            output,
            criterion,
            beside,
        };
        // A loss of the data alone is a case once in a while.
        if !depends(&net, &recipe, &self.batches) && !self.random.once_in(30) {
            return None;
        }
        Some(Case {
            seed,
            net,
            recipe,
            batches: self.batches,
            form,
            features: self.features,
            rank,
        })
    }

    /// Three columns, for the losses of classes.
    fn head(&mut self) {
        let input = self.last();
        let (label, run): (&str, Run) = ("three columns", Arc::new(|_, x| {
            let (rows, len) = (x[0].dims()[0], x[0].len());
            let device = x[0].device();
            let x = x[0].clone().reshape(&[rows, len / rows]);
            let matrix = Value::of(noise(5, len / rows * 3), &[len / rows, 3], &device);
            match (x, matrix) {
                (Value::Two(x), Value::Two(matrix)) => Value::Two(x.matmul(matrix)),
                _ => panic!("two matrices"),
            }
        }));
        self.try_step(label.to_owned(), vec![input], run);
    }

    fn criterion(&mut self, output: usize) -> (String, Criterion) {
        let classes = self
            .batches
            .iter()
            .zip(&self.values)
            .all(|(data, values)| values[output].dims() == [data.rows(), 3]);
        let choice = self.random.below(if classes { 16 } else { 6 });
        let named = |label: &str, f: Criterion| (label.to_owned(), f);
        match choice {
            0 => named("mean square", Arc::new(|_, x| x.flat().square().mean())),
            1 => named("log mean exp", Arc::new(|_, x| x.flat().exp().mean().log())),
            2 => named("mean of sin", Arc::new(|_, x| x.flat().sin().mean())),
            3 => named(
                "mean of log cosh",
                Arc::new(|_, x| x.flat().cosh().log().mean()),
            ),
            4 => named(
                "mean of the means' squares",
                Arc::new(|data, x| {
                    let len = x.len();
                    let rows = if len % data.rows() == 0 { data.rows() } else { 1 };
                    x.flat().reshape([rows, len / rows]).mean_dim(1).square().mean()
                }),
            ),
            5 => named(
                "var",
                Arc::new(|_, x| x.flat().var_bias(0)),
            ),
            6..9 => named(
                "cross entropy",
                Arc::new(|data, x| {
                    CrossEntropyLossConfig::new()
                        .init(&data.labels.device())
                        .forward(two(x), data.labels.clone())
                }),
            ),
            9 => named(
                "weighted cross entropy",
                Arc::new(|data, x| {
                    let x = two(x);
                    let weights = Value::of(vec![0.5, 1.0, 2.0], &[1, 3], &x.device());
                    let (Value::Two(weights), rows) = (weights, x.dims()[0]) else {
                        panic!("a matrix")
                    };
                    let labels = data.labels.clone().reshape([rows, 1]);
                    let picked = activation::log_softmax(x, 1).gather(1, labels.clone());
                    let weights = weights.repeat_dim(0, rows).gather(1, labels);
                    (picked.neg() * weights.clone()).sum() / weights.sum()
                }),
            ),
            10 => named(
                "mse",
                Arc::new(|data, x| MseLoss::new().forward(two(x), data.targets.clone(), Reduction::Mean)),
            ),
            11 => named(
                "huber",
                Arc::new(|data, x| {
                    HuberLossConfig::new(0.7).init().forward(
                        two(x),
                        data.targets.clone(),
                        Reduction::Mean,
                    )
                }),
            ),
            12 => named(
                "smooth l1",
                Arc::new(|data, x| {
                    SmoothL1LossConfig::new().init().forward_with_reduction(
                        two(x),
                        data.targets.clone(),
                        Reduction::Mean,
                    )
                }),
            ),
            13 => named(
                "kl divergence",
                Arc::new(|data, x| {
                    let target = activation::softmax(data.targets.clone(), 1);
                    KLDivLossConfig::new().init().forward(
                        activation::log_softmax(two(x), 1),
                        target,
                        Reduction::Mean,
                    )
                }),
            ),
            14 => named(
                "one against all",
                Arc::new(|data, x| {
                    let x = two(x);
                    let classes: Tensor<2, burn::tensor::Int> =
                        Tensor::<1, burn::tensor::Int>::arange(0..3, &x.device()).unsqueeze();
                    let rows = x.dims()[0];
                    let hit = data
                        .labels
                        .clone()
                        .reshape([rows, 1])
                        .repeat_dim(1, 3)
                        .equal(classes.repeat_dim(0, rows))
                        .float()
                        .cast(FloatDType::F64);
                    (activation::softplus(x.clone(), 1.0) - x * hit).mean()
                }),
            ),
            _ => named(
                "triplet-like",
                Arc::new(|data, x| {
                    let x = two(x);
                    let gap = (x.clone() - data.targets.clone()).square().sum_dim(1);
                    let other = (x + data.targets.clone()).square().sum_dim(1);
                    activation::softplus(gap - other, 1.0).mean()
                }),
            ),
        }
    }
}

/// Whether the loss of the first batch moves with the parameters.
fn depends(net: &Net, recipe: &Recipe, batches: &[Data]) -> bool {
    let loss = |net: &Net| {
        let way = Way::Plain(Normalising::AsBurn);
        let scene = Scene {
            net,
            data: &batches[0],
            way: &way,
        };
        super::truth::number(&recipe.loss(&scene))
    };
    let mut layout = super::truth::Layout::default();
    net.visit(&mut layout);
    let by = super::truth::scaled(&noise(3, layout.dim), 1e-3);
    let (here, there) = quietly(|| (loss(&net.valid()), loss(&layout.displaced(net, &by)))).unwrap_or((0.0, 0.0));
    (here - there).abs() > 1e-10
}

/// Burn's `RmsNorm` takes its mean square in f32.
fn contains_rms_norm(node: &Node) -> bool {
    match node {
        Node::RmsNorm(_) => true,
        Node::Block(block) => {
            let around = block.around.iter().flatten();
            block.inside.iter().chain(around).any(contains_rms_norm)
        }
        _ => false,
    }
}

fn two(value: Value) -> Tensor<2> {
    match value {
        Value::Two(x) => x,
        other => panic!("a matrix, not {:?}", other.dims()),
    }
}

fn largest(entries: &[f64]) -> f64 {
    entries.iter().fold(0.0, |most, entry| most.max(entry.abs()))
}
