//! The reference: values of ordinary forward passes at displaced parameters, and their differences.
//!
//! Nothing is recorded here and no derivative is taken but by differences of the value, with
//! Richardson's extrapolation over three steps; the estimate's error is the change of the last
//! extrapolation. Where it is large, at a kink for example, shorter steps are tried.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{DType, Tensor, TensorData};

use super::case::{Case, Feature};
use super::node::{Net, Normalising};
use super::scene::{Data, Noted, Scene, Way};
use super::value::Value;

/// A number with its error.
#[derive(Debug, Clone, Copy)]
pub(super) struct Estimate {
    pub(super) value: f64,
    pub(super) error: f64,
}

impl Estimate {
    pub(super) const fn exact(value: f64) -> Self {
        Self { value, error: 0.0 }
    }
}

/// The coordinates: every parameter that some place trains, once, in the order of the visit.
#[derive(Default, Clone)]
pub(super) struct Layout {
    pub(super) offsets: HashMap<ParamId, usize>,
    pub(super) order: Vec<(ParamId, usize)>,
    pub(super) dim: usize,
    /// The parameters themselves.
    pub(super) origin: Vec<f64>,
}

impl ModuleVisitor for Layout {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.base();
        if !tensor.is_require_grad() || self.offsets.contains_key(&param.id) {
            return;
        }
        let count = tensor.dims().iter().product();
        self.offsets.insert(param.id, self.dim);
        self.order.push((param.id, count));
        self.dim += count;
        self.origin.extend(tensor.to_data().iter::<f64>());
    }
}

impl Layout {
    /// The model moved, without autodiff.
    pub(super) fn displaced(&self, net: &Net, by: &[f64]) -> Net {
        net.clone().map(&mut Displace { layout: self, by }).valid()
    }
}

/// Adds a vector to the parameters that train, each place from its own value.
struct Displace<'a> {
    layout: &'a Layout,
    by: &'a [f64],
}

impl ModuleMapper for Displace<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let id = param.id;
        let Some(&offset) = self.layout.offsets.get(&id) else {
            return param;
        };
        param.map(|tensor| {
            if !tensor.is_require_grad() {
                return tensor;
            }
            let dims = tensor.dims();
            let count: usize = dims.iter().product();
            let plain = tensor.inner();
            let by = Tensor::<1>::from_data(
                TensorData::new(self.by[offset..offset + count].to_vec(), [count]),
                (&plain.device(), DType::F64),
            );
            Tensor::from_inner(plain + by.reshape(dims)).require_grad()
        })
    }
}

pub(super) struct Truth<'c> {
    case: &'c Case,
    pub(super) layout: Layout,
    normalising: Normalising,
    /// The reference value of each batch.
    notes: Vec<Vec<Noted>>,
    batches: &'c [Data],
    /// Whether a part of the model computes in f32.
    single: bool,
}

/// Parts of each batch that are constant in a derivative at a model.
fn notes(case: &Case, net: &Net, normalising: Normalising, batches: &[Data]) -> Vec<Vec<Noted>> {
    let of_batch = |data: &Data| {
        let notes = RefCell::new(Vec::new());
        let scene = Scene {
            net,
            data,
            way: &Way::Noting(normalising, &notes),
        };
        let _ = case.recipe.loss(&scene);
        notes.into_inner()
    };
    batches.iter().map(of_batch).collect()
}

impl<'c> Truth<'c> {
    pub(super) fn of(case: &'c Case, normalising: Normalising, batches: &'c [Data]) -> Self {
        let mut layout = Layout::default();
        case.net.visit(&mut layout);
        Self {
            case,
            layout,
            normalising,
            notes: notes(case, &case.net.valid(), normalising, batches),
            batches,
            single: case.has(Feature::SinglePrecision),
        }
    }

    /// The truth of some of the batches alone.
    pub(super) fn over<'d>(&self, batches: &'d [Data]) -> Truth<'d>
    where
        'c: 'd,
    {
        Truth::of(self.case, self.normalising, batches)
    }

    pub(super) fn rows(&self) -> f64 {
        self.batches.iter().map(|data| data.rows() as f64).sum()
    }

    fn at(&self, displacement: &[f64]) -> Net {
        self.layout.displaced(&self.case.net, displacement)
    }

    fn mean(&self, of_batch: impl Fn(usize, &Data) -> f64) -> f64 {
        let total: f64 = self
            .batches
            .iter()
            .enumerate()
            .map(|(index, data)| data.rows() as f64 * of_batch(index, data))
            .sum();
        total / self.rows()
    }

    /// L(theta + d).
    pub(super) fn value(&self, displacement: &[f64]) -> f64 {
        let net = self.at(displacement);
        self.mean(|_, data| {
            let scene = Scene {
                net: &net,
                data,
                way: &Way::Plain(self.normalising),
            };
            number(&self.case.recipe.loss(&scene))
        })
    }

    /// The same with what is constant for a derivative kept as it was at `theta`.
    fn held(&self, displacement: &[f64]) -> f64 {
        self.held_as(displacement, &self.notes)
    }

    fn held_as(&self, displacement: &[f64], notes: &[Vec<Noted>]) -> f64 {
        let net = self.at(displacement);
        self.mean(|index, data| {
            let scene = Scene {
                net: &net,
                data,
                way: &Way::Held(self.normalising, &notes[index], Cell::new(0)),
            };
            number(&self.case.recipe.loss(&scene))
        })
    }

    /// The truth at another point, where other things are constant for a derivative.
    pub(super) fn moved(&self, displacement: &[f64]) -> Moved<'_, 'c> {
        Moved {
            truth: self,
            notes: notes(
                self.case,
                &self.at(displacement),
                self.normalising,
                self.batches,
            ),
            from: displacement.to_vec(),
        }
    }

    /// L(theta + d) with what the rounding of the point makes of it.
    pub(super) fn conditioned(&self, displacement: &[f64]) -> Estimate {
        let value = self.value(displacement);
        let net = self.at(displacement);
        let changes = [11, 12].map(|seed| {
            let shaken = self.mean(|_, data| {
                let scene = Scene {
                    net: &net,
                    data,
                    way: &Way::Shaken(self.normalising, seed),
                };
                number(&self.case.recipe.loss(&scene))
            });
            (shaken - value).abs()
        });
        let mut error = changes[0].max(changes[1]);
        if self.single {
            error += 1e-5 * value.abs().max(1e-2);
        }
        Estimate { value, error }
    }

    /// g'v
    pub(super) fn slope(&self, v: &[f64]) -> Estimate {
        self.extrapolated(&[4e-4, 4e-5, 4e-6, 4e-7], 1, |h| {
            (self.held(&scaled(v, h)) - self.held(&scaled(v, -h))) / (2.0 * h)
        })
    }

    /// How much the slopes to both sides differ, along v: a kink at the point itself, or a jump.
    pub(super) fn kink(&self, v: &[f64]) -> f64 {
        if self.single {
            // It would be the rounding of f32.
            return 0.0;
        }
        let here = self.held(&scaled(v, 0.0));
        let gap = |h: f64| {
            let (ahead, behind) = (self.held(&scaled(v, h)), self.held(&scaled(v, -h)));
            ((ahead - here) - (here - behind)).abs() / h
        };
        // Of a smooth function it shrinks with the step.
        gap(1e-6).min(gap(1e-7))
    }

    /// u'Hv
    pub(super) fn curvature(&self, u: &[f64], v: &[f64]) -> Estimate {
        self.extrapolated(&[1e-2, 1e-3, 2e-4, 3e-5], 2, |h| {
            mixed(|a, b| self.held(&combined(u, a * h, v, b * h)), h)
        })
    }

    /// Whether each example's rows of the outputs are what the example gives by itself.
    pub(super) fn outputs_are_rows(&self) -> bool {
        let net = self.at(&vec![0.0; self.layout.dim]);
        let outputs = |data: &Data| {
            let scene = Scene {
                net: &net,
                data,
                way: &Way::Plain(self.normalising),
            };
            self.case.recipe.outputs(&scene).entries()
        };
        self.batches.iter().all(|data| {
            let rows: Vec<f64> = (0..data.rows())
                .flat_map(|row| outputs(&data.row(row)))
                .collect();
            let whole = outputs(data);
            rows.len() == whole.len()
                && rows
                    .iter()
                    .zip(&whole)
                    .all(|(a, b)| (a - b).abs() < 1e-9 * (1.0 + b.abs()))
        })
    }

    /// u'Gv, G the Gauss-Newton matrix of a loss whose outputs are told apart.
    pub(super) fn gauss_newton(&self, u: &[f64], v: &[f64]) -> Estimate {
        let outputs = |displacement: &[f64], index: usize| -> Value {
            let net = self.at(displacement);
            let scene = Scene {
                net: &net,
                data: &self.batches[index],
                way: &Way::Held(self.normalising, &self.notes[index], Cell::new(0)),
            };
            self.case.recipe.outputs(&scene)
        };
        let mut total = Estimate::exact(0.0);
        for (index, data) in self.batches.iter().enumerate() {
            let here = outputs(&vec![0.0; self.layout.dim], index);
            let (entries, dims, device) = (here.entries(), here.dims(), here.device());
            let mut tangents = Vec::new();
            let mut uncertainty: f64 = 0.0;
            for w in [u, v] {
                let difference = |h: f64| -> Vec<f64> {
                    let ahead = outputs(&scaled(w, h), index).entries();
                    let behind = outputs(&scaled(w, -h), index).entries();
                    ahead
                        .iter()
                        .zip(behind)
                        .map(|(a, b)| (a - b) / (2.0 * h))
                        .collect()
                };
                let (coarse, fine) = (difference(1e-3), difference(5e-4));
                let tangent: Vec<f64> = coarse
                    .iter()
                    .zip(&fine)
                    .map(|(c, f)| f + (f - c) / 3.0)
                    .collect();
                let size = norm(&tangent).max(1e-12);
                let change: Vec<f64> = coarse.iter().zip(&fine).map(|(c, f)| c - f).collect();
                // Smooth outputs change by 1e-6 of their size from one step to the other.
                uncertainty = uncertainty.max((norm(&change) / size).powi(2) + 1e-9);
                if norm(&change) > 1e-4 * size {
                    // A kink of the outputs themselves.
                    uncertainty = f64::INFINITY;
                }
                tangents.push(tangent);
            }
            let loss = |a: f64, b: f64, h: f64| -> f64 {
                let moved = combined(&tangents[0], a * h, &tangents[1], b * h);
                let moved: Vec<f64> = entries.iter().zip(moved).map(|(x, d)| x + d).collect();
                number(&(self.case.recipe.criterion.1)(
                    data,
                    Value::of(moved, &dims, &device),
                ))
            };
            let part = self.extrapolated(&[1e-2, 1e-3, 2e-4, 3e-5], 2, |h| {
                mixed(|a, b| loss(a, b, h), h)
            });
            let share = data.rows() as f64 / self.rows();
            total.value += share * part.value;
            total.error += share * (part.error + uncertainty * part.value.abs().max(1e-12));
        }
        total
    }
}

impl Truth<'_> {
    /// A difference extrapolated over three steps, each half of the one before, at the first of
    /// `steps` that gives it to seven digits, or where it is surest. Estimates at different steps
    /// that exclude each other show a kink in between, and are an error too.
    fn extrapolated(&self, steps: &[f64], order: i32, difference: impl Fn(f64) -> f64) -> Estimate {
        // In f32 a longer step is better.
        let (unit, longer, spread) = if self.single {
            (2e-7, 20.0, 5.0)
        } else {
            (2e-15, 1.0, 1.0)
        };
        let mut all: Vec<Estimate> = Vec::new();
        for step in steps.iter().map(|step| step * longer) {
            let [a, b, c] = [1.0, 0.5, 0.25].map(|part| difference(step * part));
            let (first, second) = (b + (b - a) / 3.0, c + (c - b) / 3.0);
            let value = second + (second - first) / 15.0;
            // Rounding of a value of order one, over the smallest step to the order of the
            // derivative.
            let rounding = unit / (0.25 * step).powi(order);
            let error = (second - first).abs() * spread + (c - b).abs() * 1e-3 + rounding;
            all.push(Estimate { value, error });
            if error < 1e-7 * value.abs().max(1e-3) {
                break;
            }
        }
        let finite = all.iter().copied().filter(|one| one.error.is_finite());
        let Some(mut best) = finite.min_by(|a, b| a.error.total_cmp(&b.error)) else {
            return Estimate {
                value: f64::NAN,
                error: f64::INFINITY,
            };
        };
        for other in all {
            let gap = (other.value - best.value).abs();
            if gap > 5.0 * (other.error + best.error) || gap.is_nan() {
                best.error += if gap.is_nan() { f64::INFINITY } else { gap };
            }
        }
        best
    }
}

/// The truth at a point beside the weights.
pub(super) struct Moved<'t, 'c> {
    truth: &'t Truth<'c>,
    notes: Vec<Vec<Noted>>,
    from: Vec<f64>,
}

impl Moved<'_, '_> {
    pub(super) fn value(&self) -> Estimate {
        self.truth.conditioned(&self.from)
    }

    /// The slope along v.
    pub(super) fn slope(&self, v: &[f64]) -> Estimate {
        self.truth.extrapolated(&[4e-4, 4e-5, 4e-6, 4e-7], 1, |h| {
            let at = |h: f64| {
                let displacement = combined(&self.from, 1.0, v, h);
                self.truth.held_as(&displacement, &self.notes)
            };
            (at(h) - at(-h)) / (2.0 * h)
        })
    }
}

fn mixed(at: impl Fn(f64, f64) -> f64, h: f64) -> f64 {
    (at(1.0, 1.0) - at(1.0, -1.0) - at(-1.0, 1.0) + at(-1.0, -1.0)) / (4.0 * h * h)
}

pub(super) fn number(loss: &Tensor<1>) -> f64 {
    loss.to_data()
        .iter::<f64>()
        .next()
        .expect("a loss is one number")
}

pub(super) fn scaled(v: &[f64], h: f64) -> Vec<f64> {
    v.iter().map(|x| x * h).collect()
}

pub(super) fn combined(u: &[f64], a: f64, v: &[f64], b: f64) -> Vec<f64> {
    u.iter().zip(v).map(|(u, v)| a * u + b * v).collect()
}

pub(super) fn norm(v: &[f64]) -> f64 {
    v.iter().map(|x| x * x).sum::<f64>().sqrt()
}
