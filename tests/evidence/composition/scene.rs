//! A loss made at run time: a list of steps over values, on a model and a batch.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::node::{Net, Normalising};
use super::value::{Value, joined, mapped};

/// A batch: an input of any rank, tokens, targets and labels.
#[derive(Debug, Clone)]
pub(super) struct Data {
    /// `[B, ..]`, or `[T, B, F]` where time comes first.
    pub(super) x: Value,
    /// `[B, T]`, padded with token 0.
    pub(super) tokens: Tensor<2, Int>,
    /// `[B, 3]`
    pub(super) targets: Tensor<2>,
    /// `[B]`, three classes.
    pub(super) labels: Tensor<1, Int>,
    /// Whether the batch says itself how many examples it has.
    pub(super) counted: bool,
    /// Whether the second axis of the input counts the examples.
    pub(super) time_first: bool,
}

impl Data {
    /// One example by itself.
    pub(super) fn row(&self, row: usize) -> Self {
        let axis = usize::from(self.time_first);
        Self {
            x: mapped!(self.x.clone(), x => x.slice_dim(axis, row..row + 1)),
            tokens: self.tokens.clone().slice_dim(0, row..row + 1),
            targets: self.targets.clone().slice_dim(0, row..row + 1),
            labels: self.labels.clone().slice_dim(0, row..row + 1),
            ..self.clone()
        }
    }

    /// The number of examples, whatever the layout.
    pub(super) fn rows(&self) -> usize {
        self.labels.dims()[0]
    }
}

/// Settings under which a loss is evaluated.
pub(super) enum Way<'t> {
    /// As a user's closure is, by what is measured.
    Measured,
    /// As the same closure is, on a model without autodiff.
    Plain(Normalising),
    /// The same with every value a little off.
    Shaken(Normalising, u64),
    /// The same, noting what a derivative takes for constant.
    Noting(Normalising, &'t RefCell<Vec<Noted>>),
    /// With what was noted in place of what a derivative takes for constant.
    Held(Normalising, &'t [Noted], Cell<usize>),
}

/// A constant of differentiation.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "a handful of each")]
pub(super) enum Noted {
    Stopped(Value),
    Read(f64),
}

/// A device on which a step runs.
pub(super) struct Scene<'s> {
    pub(super) net: &'s Net,
    pub(super) data: &'s Data,
    pub(super) way: &'s Way<'s>,
}

/// Relative changes of every value on the way, some hundred roundings: what they make of a loss is
/// what another order of its sums may make of it.
const JITTER: f64 = 3e-14;

impl Scene<'_> {
    pub(super) const fn normalising(&self) -> Normalising {
        match self.way {
            Way::Measured => Normalising::AsBurn,
            Way::Plain(normalising)
            | Way::Shaken(normalising, _)
            | Way::Noting(normalising, _)
            | Way::Held(normalising, ..) => *normalising,
        }
    }

    /// `x` as a constant of differentiation.
    pub(super) fn stop(&self, x: Value) -> Value {
        match self.way {
            Way::Measured => mapped!(x, x => x.detach()),
            Way::Plain(_) | Way::Shaken(..) => x,
            Way::Noting(_, notes) => {
                notes.borrow_mut().push(Noted::Stopped(x.clone()));
                x
            }
            Way::Held(_, notes, next) => match &notes[next.replace(next.get() + 1)] {
                Noted::Stopped(value) => value.clone(),
                Noted::Read(_) => panic!("the steps came in another order"),
            },
        }
    }

    /// A number read on the host.
    pub(super) fn read(&self, number: impl FnOnce() -> f64) -> f64 {
        match self.way {
            Way::Measured | Way::Plain(_) | Way::Shaken(..) => number(),
            Way::Noting(_, notes) => {
                let number = number();
                notes.borrow_mut().push(Noted::Read(number));
                number
            }
            Way::Held(_, notes, next) => match &notes[next.replace(next.get() + 1)] {
                Noted::Read(number) => *number,
                Noted::Stopped(_) => panic!("the steps came in another order"),
            },
        }
    }
}

pub(super) type Run = Arc<dyn Fn(&Scene<'_>, &[Value]) -> Value + Send + Sync>;

/// A value from earlier ones.
#[derive(Clone)]
pub(super) struct Step {
    pub(super) label: String,
    /// Positions of earlier values; the batch's input is the first.
    pub(super) inputs: Vec<usize>,
    pub(super) run: Run,
}

pub(super) type Criterion = Arc<dyn Fn(&Data, Value) -> Tensor<1> + Send + Sync>;

/// The whole loss.
#[derive(Clone)]
pub(super) struct Recipe {
    pub(super) steps: Vec<Step>,
    /// Which value is the model's output.
    pub(super) output: usize,
    pub(super) criterion: (String, Criterion),
    /// Values whose mean sine is added to the loss, with weights.
    pub(super) beside: Vec<(usize, f64)>,
}

impl Recipe {
    fn values(&self, scene: &Scene<'_>) -> Vec<Value> {
        let mut values = vec![scene.data.x.clone()];
        for step in &self.steps {
            let inputs: Vec<Value> = step.inputs.iter().map(|&i| values[i].clone()).collect();
            let value = (step.run)(scene, &inputs);
            values.push(match scene.way {
                Way::Shaken(_, seed) => shaken(value, seed.wrapping_add(values.len() as u64)),
                _ => value,
            });
        }
        values
    }

    pub(super) fn outputs(&self, scene: &Scene<'_>) -> Value {
        self.values(scene).swap_remove(self.output)
    }

    pub(super) fn loss(&self, scene: &Scene<'_>) -> Tensor<1> {
        let values = self.values(scene);
        let mut loss = (self.criterion.1)(scene.data, values[self.output].clone());
        for &(index, weight) in &self.beside {
            loss = loss + values[index].clone().flat().sin().mean() * weight;
        }
        loss
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "    v0 = input")?;
        for (index, step) in self.steps.iter().enumerate() {
            let inputs: Vec<String> = step.inputs.iter().map(|i| format!("v{i}")).collect();
            let (index, inputs) = (index + 1, inputs.join(", "));
            writeln!(f, "    v{index} = {}({inputs})", step.label)?;
        }
        write!(f, "    loss = {}(v{})", self.criterion.0, self.output)?;
        for (index, weight) in &self.beside {
            write!(f, " + {weight} mean sin v{index}")?;
        }
        Ok(())
    }
}

fn shaken(value: Value, seed: u64) -> Value {
    let factors = noise(seed, value.len());
    let factors = factors.iter().map(|noise| 1.0 + JITTER * noise).collect();
    let factors = Value::of(factors, &value.dims(), &value.device());
    joined!(value, factors, x, y => x * y)
}

/// Noise in (-1, 1) from the host.
#[expect(clippy::cast_precision_loss, reason = "53 bits")]
pub(super) fn noise(seed: u64, count: usize) -> Vec<f64> {
    let mut random = super::random::Random::new(seed);
    (0..count)
        .map(|_| (random.next() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0)
        .collect()
}

/// Integers below `bound` from the host.
pub(super) fn integers<const D: usize>(
    seed: u64,
    bound: usize,
    dims: [usize; D],
    device: &Device,
) -> Tensor<D, Int> {
    let mut random = super::random::Random::new(seed);
    let count = dims.iter().product();
    let entries: Vec<i64> = (0..count)
        .map(|_| i64::try_from(random.below(bound)).expect("a small number"))
        .collect();
    Tensor::from_data(TensorData::new(entries, dims), device)
}
