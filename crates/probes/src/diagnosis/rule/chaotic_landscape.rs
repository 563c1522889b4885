//! A chaotic landscape: the loss rises and falls many times along lines through the weights.
//!
//! The measure is the mean excess of the lines of a slice (line or surface): their total variation
//! above that of a single valley, over the range of their losses. It is exactly 0 for a single
//! valley, and `2h` for a further hill of h times the range. The finding is an excess above 1/2 (a
//! further hill of a quarter of the range on each line, on average) with at least 3 valleys on
//! one. Networks that train show a single valley in filter-normalised slices, deep ones without
//! skip connections many (Li et al. 2018, section 5). Slices are evaluated on fixed examples, so
//! that no sampling noise adds hills; ranges below 1/1,000 of the loss are left out for their
//! rounding.
//!
//! For several seeds see [`seeds`](super::seeds).

use super::Outcome;
use crate::diagnosis::finding::{Confidence, Finding, Severity, Symptom};
use crate::diagnosis::remedy::Remedy;
use crate::diagnosis::view::{View, evidence};
use crate::diagnosis::words::number;
use crate::tag;

/// The excess that is chaotic.
const CHAOTIC: f64 = 0.5;

/// Valleys that are many.
const VALLEYS: usize = 3;

pub(super) fn find(view: &View<'_>) -> Outcome {
    let slices = &view.facts.slices;
    if slices.is_empty() {
        return Outcome::Missing(
            "`landscape/line_data` or `landscape/surface_data` (probes line, surface)",
        );
    }
    let chaotic = slices
        .iter()
        .filter(|(_, slice)| slice.excess.0 > CHAOTIC && slice.valleys >= VALLEYS);
    let worst = chaotic.max_by(|a, b| a.1.excess.0.total_cmp(&b.1.excess.0));
    let Some((tag, slice)) = worst.filter(|_| view.is_judged()) else {
        return Outcome::Absent;
    };
    let severity = if view.is_harmed() {
        Severity::Warning
    } else {
        Severity::Note
    };
    let mut found = vec![evidence(
        tag,
        slice.step,
        slice.excess.0,
        Some(CHAOTIC),
        format!(
            "along lines through the weights the loss varies by {} of its range more than in one valley, with up to {} valleys",
            number(slice.excess.0, 2),
            slice.valleys
        ),
    )];
    let ends = view
        .last_of(tag::LAMBDA_MIN)
        .zip(view.last_of(tag::LAMBDA_1));
    found.extend(
        ends.filter(|(_, (_, top))| *top > 0.0)
            .map(|((step, bottom), (_, top))| {
                evidence(
                    tag::LAMBDA_MIN,
                    step,
                    bottom / top,
                    None,
                    format!("lambda_min / lambda_1 = {}", number(bottom / top, 2)),
                )
            }),
    );
    let sentence = found[0].sentence.clone();
    Finding::new(
        Symptom::ChaoticLandscape,
        (severity, Confidence::Likely),
        sentence,
    )
    .because(found)
    .meaning(
        "The gradient points the right way for a short distance only; where a run ends depends on where it began.",
    )
    .remedied_by([Remedy::Residual, Remedy::Normalisation, Remedy::FewerLayers])
}
