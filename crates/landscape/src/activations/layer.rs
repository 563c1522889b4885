//! The activations of a model, layer by layer.

use derivatives::{Nonlinearity, NonlinearityKind, NonlinearityValues};

use super::ActivationConfig;
use super::slope::{can_die, can_saturate, relative_slope};
use super::units::Unit;
use crate::error::Error;
use crate::vector::{checked, download};

/// The activations of a model on the measured examples.
#[derive(Debug, Clone, PartialEq)]
pub struct Activations {
    /// The layers, in the order in which they are computed.
    pub layers: Vec<LayerActivations>,
    /// Number of examples.
    pub examples: usize,
}

/// The activations of one layer.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerActivations {
    /// Number from 1 and kind: `layer_1_relu`.
    pub name: String,
    /// The nonlinearity.
    pub kind: NonlinearityKind,
    /// Path of the module that feeds it, `conv1`: the one whose parameter was used last on the
    /// way.
    pub module: Option<String>,
    /// Number of units.
    pub units: usize,
    /// Number of measured entries of each unit: examples, times positions, times the places at
    /// which the layer is used.
    pub entries: usize,
    /// The dead units, ascending; none for kinds that cannot be dead.
    pub dead: Option<Vec<usize>>,
    /// The saturated units, ascending; none for kinds that do not saturate.
    pub saturated: Option<Vec<usize>>,
    /// For each unit the share of its entries that are exactly zero, `[units]`.
    pub zeros: Vec<f64>,
    /// For each unit the share of its entries that are saturated, `[units]`; none for kinds that
    /// do not saturate.
    pub saturation: Option<Vec<f64>>,
    /// Mean of all entries.
    pub mean: f64,
    /// Standard deviation of all entries, units and examples together (divisor: their number).
    pub std: f64,
    /// Standard deviation of a unit over its entries, as root mean square over the units. Where it
    /// is far below `std` the layer hardly reacts to its input.
    pub std_within_units: f64,
}

impl LayerActivations {
    /// Returns the share of units that are dead.
    #[must_use]
    pub fn dead_share(&self) -> Option<f64> {
        self.dead.as_ref().map(|dead| ratio(dead.len(), self.units))
    }

    /// Returns the share of units that are saturated.
    #[must_use]
    pub fn saturated_share(&self) -> Option<f64> {
        let saturated = self.saturated.as_ref();
        saturated.map(|saturated| ratio(saturated.len(), self.units))
    }

    /// Returns the share of all entries that are exactly zero.
    #[must_use]
    pub fn zero_share(&self) -> f64 {
        self.zeros.iter().sum::<f64>() / self.zeros.len().max(1) as f64
    }
}

impl Activations {
    /// Returns the share of dead units among all that could be dead; none where none could.
    #[must_use]
    pub fn dead_share(&self) -> Option<f64> {
        share(&self.layers, |layer| layer.dead.as_ref())
    }

    /// Returns the share of saturated units among all that could be saturated; none where none
    /// could.
    #[must_use]
    pub fn saturated_share(&self) -> Option<f64> {
        share(&self.layers, |layer| layer.saturated.as_ref())
    }

    /// Returns the smallest and the largest standard deviation of a layer; none where there is no
    /// layer.
    #[must_use]
    pub fn std_range(&self) -> Option<(f64, f64)> {
        let stds = self.layers.iter().map(|layer| layer.std);
        let smallest = stds.clone().reduce(f64::min)?;
        Some((smallest, stds.reduce(f64::max)?))
    }
}

fn share(
    layers: &[LayerActivations],
    units: impl Fn(&LayerActivations) -> Option<&Vec<usize>>,
) -> Option<f64> {
    let counted: Vec<(usize, usize)> = layers
        .iter()
        .filter_map(|layer| Some((units(layer)?.len(), layer.units)))
        .collect();
    let (some, all) = counted
        .iter()
        .fold((0, 0), |sum, next| (sum.0 + next.0, sum.1 + next.1));
    (all > 0).then(|| ratio(some, all))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "there are far fewer than 2^53 units"
)]
fn ratio(some: usize, all: usize) -> f64 {
    some as f64 / all.max(1) as f64
}

/// The layers found so far, with what was counted of their units.
#[derive(Debug, Default)]
pub(super) struct Layers(Vec<Counted>);

/// A layer, which is the same as another where kind, module and number of units are.
#[derive(Debug)]
struct Counted {
    kind: NonlinearityKind,
    module: Option<String>,
    /// Its number among those without a module, which only their order tells apart.
    order: usize,
    units: Vec<Unit>,
}

impl Layers {
    /// Adds the values of one batch.
    ///
    /// # Errors
    /// [`Error::NonFiniteVector`].
    pub(super) fn add(
        &mut self,
        found: &[Nonlinearity],
        values: Vec<NonlinearityValues>,
        config: &ActivationConfig,
    ) -> Result<(), Error> {
        let mut without_module = 0;
        for (what, values) in found.iter().zip(values) {
            let order = match what.module {
                Some(_) => 0,
                None => {
                    without_module += 1;
                    without_module
                }
            };
            let output = checked(download(&values.output), "activation")?;
            let input = values.input.as_ref().map(download);
            let is_saturated = |entry: usize| {
                let x = input.as_ref().map_or(0.0, |input| input[entry]);
                relative_slope(what.kind, x, output[entry])
                    .is_some_and(|slope| slope < config.slope)
            };
            let (count, inner) = match what.feature_axis {
                Some(axis) => (what.shape[axis], what.shape[axis + 1..].iter().product()),
                None => (1, 1),
            };
            let outer = output.len() / (count * inner).max(1);
            let units = (0..count).map(|unit| {
                let entries = (0..outer).flat_map(move |o| {
                    let start = (o * count + unit) * inner;
                    start..start + inner
                });
                Unit::of(entries, &output, is_saturated)
            });
            let units: Vec<Unit> = units.collect();
            let layer = self.layer(what, order, count);
            for (all, unit) in layer.units.iter_mut().zip(units) {
                *all = all.with(unit);
            }
        }
        Ok(())
    }

    fn layer(&mut self, what: &Nonlinearity, order: usize, units: usize) -> &mut Counted {
        let is_same = |layer: &Counted| {
            layer.kind == what.kind
                && layer.module == what.module
                && layer.order == order
                && layer.units.len() == units
        };
        let place = self.0.iter().position(is_same).unwrap_or_else(|| {
            self.0.push(Counted {
                kind: what.kind,
                module: what.module.clone(),
                order,
                units: vec![Unit::default(); units],
            });
            self.0.len() - 1
        });
        &mut self.0[place]
    }

    /// Returns the layers.
    pub(super) fn finish(self, examples: usize, config: &ActivationConfig) -> Activations {
        let layers = self.0.into_iter().enumerate();
        let layers = layers.map(|(index, layer)| layer.finish(index + 1, config));
        Activations {
            layers: layers.collect(),
            examples,
        }
    }
}

impl Counted {
    fn finish(self, number: usize, config: &ActivationConfig) -> LayerActivations {
        let all = self.units.iter().copied().fold(Unit::default(), Unit::with);
        let within: f64 = self.units.iter().map(|unit| unit.squares).sum();
        let which = |is: &dyn Fn(&Unit) -> bool| -> Vec<usize> {
            let units = self.units.iter().enumerate();
            units
                .filter_map(|(index, unit)| is(unit).then_some(index))
                .collect()
        };
        let is_dead = |unit: &Unit| unit.count > 0 && unit.zeros == unit.count;
        let saturation = |unit: &Unit| unit.share(unit.saturated);
        let saturates = can_saturate(self.kind);
        LayerActivations {
            name: format!("layer_{number}_{}", self.kind.name()),
            kind: self.kind,
            dead: can_die(self.kind).then(|| which(&is_dead)),
            saturated: saturates.then(|| which(&|unit| saturation(unit) > config.share)),
            zeros: self
                .units
                .iter()
                .map(|unit| unit.share(unit.zeros))
                .collect(),
            saturation: saturates.then(|| self.units.iter().map(saturation).collect()),
            units: self.units.len(),
            entries: self.units.first().map_or(0, |unit| unit.count),
            mean: all.mean,
            std: all.std(),
            std_within_units: Unit {
                squares: within,
                ..all
            }
            .std(),
            module: self.module,
        }
    }
}
