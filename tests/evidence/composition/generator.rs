//! A random model with a random loss on random batches, from a seed.

use std::collections::BTreeSet;
use std::sync::Arc;

use burn::module::Module;
use burn::nn::EmbeddingConfig;
use burn::tensor::Device;

use super::batches::batches;
use super::case::{Case, Feature, Form};
use super::compare::quietly;
use super::layer::{self, Adapt, Fill};
use super::node::{Net, Node, Normalising};
use super::random::Random;
use super::scene::{Data, Recipe, Run, Scene, Step, Way, noise};
use super::value::{Value, mapped};
use super::{arrangement, operation};

/// The largest tensor of a case.
const MOST: usize = 3000;

/// A case in the making.
pub(super) struct Build {
    pub(super) random: Random,
    pub(super) device: Device,
    pub(super) net: Net,
    /// The same without autodiff.
    pub(super) plain: Net,
    pub(super) batches: Vec<Data>,
    /// Values of each batch.
    pub(super) values: Vec<Vec<Value>>,
    steps: Vec<Step>,
    /// For each value, whether it depends on a parameter.
    moves: Vec<bool>,
    pub(super) features: BTreeSet<Feature>,
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

impl Build {
    /// Adds a step, if it runs on all batches and gives usable values.
    pub(super) fn try_step(&mut self, label: String, inputs: Vec<usize>, run: Run) -> bool {
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
        // Burn computes these in f32 whatever they are given.
        if matches!(label.as_str(), "hard_sigmoid" | "hard_swish") {
            self.features.insert(Feature::SinglePrecision);
        }
        let has_parameters = label.starts_with("node") && !label.ends_with(": Dropout");
        self.moves.push(of_inputs || has_parameters);
        self.steps.push(Step { label, inputs, run });
        true
    }

    pub(super) fn add_node(&mut self, node: Node) -> usize {
        self.plain.nodes.push(node.valid());
        self.net.nodes.push(node);
        self.net.nodes.len() - 1
    }

    pub(super) fn remove_node(&mut self) {
        self.plain.nodes.pop();
        self.net.nodes.pop();
    }

    pub(super) fn last(&self) -> usize {
        self.steps.len()
    }

    pub(super) fn dims(&self, index: usize) -> Vec<usize> {
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

    pub(super) fn layer_step(&mut self, node: usize, input: usize) -> bool {
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
            5 => arrangement::shape(&mut self.random, rank),
            6 => arrangement::indexed(&mut self.random, rank),
            7 if rank == 4 => arrangement::spatial(&mut self.random),
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
                let (label, run): (&str, Run) = (
                    "as a matrix",
                    Arc::new(|_, x| {
                        let (rows, len) = (x[0].dims()[0], x[0].len());
                        x[0].clone().reshape(&[rows, len / rows])
                    }),
                );
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
        // Rounding of f32 between hundreds of kinks leaves no difference to compare with.
        let single = self.features.contains(&Feature::SinglePrecision);
        if single && self.features.contains(&Feature::Large) {
            return None;
        }
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
        let (label, run): (&str, Run) = (
            "three columns",
            Arc::new(|_, x| {
                let (rows, len) = (x[0].dims()[0], x[0].len());
                let device = x[0].device();
                let x = x[0].clone().reshape(&[rows, len / rows]);
                let matrix = Value::of(noise(5, len / rows * 3), &[len / rows, 3], &device);
                match (x, matrix) {
                    (Value::Two(x), Value::Two(matrix)) => Value::Two(x.matmul(matrix)),
                    _ => panic!("two matrices"),
                }
            }),
        );
        self.try_step(label.to_owned(), vec![input], run);
    }
}

/// Returns whether the loss of the first batch moves with the parameters.
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
    let (here, there) =
        quietly(|| (loss(&net.valid()), loss(&layout.displaced(net, &by)))).unwrap_or((0.0, 0.0));
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
