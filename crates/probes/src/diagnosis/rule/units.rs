//! The share of units that pass no gradient on, dead or saturated.
//!
//! Where the share s of a layer's units passes no gradient, the squared norm of a backward signal
//! that is spread evenly over the layer shrinks by `1 − s` there. Over all layers the norm shrinks
//! by the *passage* `√Π (1 − s_l)`. A passage below 1/10 takes the gradient of the first layer
//! down by an order of magnitude, and 0 is a layer that passes nothing.
//!
//! The spread of a layer's activations bounds what it passes too, however the saturated entries are
//! spread over its units: for tanh `E f′² ≤ E f′ = 1 − E f² ≤ 1 − std²`, and for the sigmoid, over
//! the square of its largest derivative 1/4, `E (4 f′)² ≤ 4 E f (1 − f) ≤ 1 − 4 std²`. Standard
//! normal inputs, for which weights are scaled (Glorot and Bengio 2010), give 0.606 and 0.827, so
//! that the bound counts over these. A layer passes the smaller of both.

use crate::diagnosis::finding::Evidence;
use crate::diagnosis::series::Series;
use crate::diagnosis::view::{View, evidence};
use crate::diagnosis::words::{number, percent};

/// The passage below which gradients are blocked.
pub(super) const BLOCKED: f64 = 0.1;

/// The blockage by one kind of units at one end of the run.
pub(super) struct Blockage {
    /// The passage.
    pub(super) passage: f64,
    /// The share over all layers.
    pub(super) share: f64,
    pub(super) evidence: Vec<Evidence>,
}

impl Blockage {
    /// Returns the blockage by the units of `quantity` ("dead_share") and their kind ("dead").
    pub(super) fn of(
        view: &View<'_>,
        quantity: &str,
        kind: &str,
        pick: impl Fn(&Series) -> Option<(u64, f64)> + Copy,
    ) -> Option<Self> {
        let pick = |series: &Series| pick(series).filter(|(_, share)| (0.0..=1.0).contains(share));
        let whole = format!("activation/{quantity}");
        let all = view.scalar(&whole).and_then(pick);
        let mut layers = view.family("activation/", &format!("/{quantity}"), pick);
        // All layers at one step, the one of the whole network if there is one.
        let step = all
            .or(layers.iter().map(|(_, at)| *at).max_by_key(|at| at.0))?
            .0;
        layers.retain(|(_, (at, _))| *at == step);
        let std = |path: &str| {
            let series = view.scalar(&format!("activation/{path}/std"))?;
            let (_, std) = series.points().find(|(at, _)| *at == step)?;
            let bound = match path.rsplit_once('_')?.1 {
                "tanh" => (1.0 - std * std) / 0.606,
                "sigmoid" if !path.ends_with("hard_sigmoid") => (1.0 - 4.0 * std * std) / 0.827,
                _ => return None,
            };
            bound.is_finite().then_some(bound.clamp(0.0, 1.0))
        };
        let passes = |(path, (_, share)): &(&str, (u64, f64))| {
            let by_spread = std(path).filter(|_| quantity == "saturated_share");
            by_spread.map_or(1.0 - share, |bound| bound.min(1.0 - share))
        };
        let share = all.map_or_else(
            || layers.iter().map(|(_, (_, share))| share).sum::<f64>() / layers.len().max(1) as f64,
            |(_, share)| share,
        );
        let passage = if layers.is_empty() {
            (1.0 - share).sqrt()
        } else {
            layers.iter().map(passes).product::<f64>().sqrt()
        };
        let mut found = vec![evidence(
            &whole,
            step,
            share,
            None,
            format!("{} of the units are {kind} at step {step}", percent(share)),
        )];
        let worst = layers.iter().max_by(|a, b| a.1.1.total_cmp(&b.1.1));
        if let Some((path, (step, share))) = worst {
            let tag = format!("activation/{path}/{quantity}");
            let sentence = format!("{} of {path} at step {step}", percent(*share));
            found.push(evidence(&tag, *step, *share, None, sentence));
        }
        found.push(evidence(
            &whole,
            step,
            passage,
            Some(BLOCKED),
            format!(
                "a gradient that passes all layers is left with {} of its norm at most",
                number(passage, 2)
            ),
        ));
        Some(Self {
            passage,
            share,
            evidence: found,
        })
    }
}
