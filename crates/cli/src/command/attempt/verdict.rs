//! A run and the training that was to mend it, side by side.

use std::path::Path;

use probes::diagnosis::{Finding, Remedy};
use serde_json::{Value, json};

use super::outcome::Tried;
use crate::comparison::that_differ;
use crate::config::Plan;
use crate::report::number::significant;
use crate::report::output::printable;
use crate::report::table::{plain, trimmed};

/// The share by which a loss must change to be called another: less is what a training changes by
/// rounding and by chance.
const SAME: f64 = 0.01;

/// The cell of a run whose loss is no finite number.
const DIVERGED: &str = "diverged";

/// The parts of a comparison; of each pair the first is before.
pub(super) struct Verdict<'a> {
    pub(super) finding: &'a Finding,
    /// The number of the finding.
    pub(super) number: usize,
    pub(super) remedy: &'a Remedy,
    pub(super) plans: [&'a Plan; 2],
    pub(super) tried: [&'a Tried; 2],
    pub(super) folders: [&'a Path; 2],
}

/// The effect of the remedy on the validation loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Helped,
    Same,
    Harmed,
}

impl Effect {
    /// Compares two losses, of which a diverged one is larger than any other.
    fn of(losses: [Option<f64>; 2]) -> Self {
        match losses {
            [None, None] => Self::Same,
            [None, Some(_)] => Self::Helped,
            [Some(_), None] => Self::Harmed,
            [Some(before), Some(after)] if (after - before).abs() <= SAME * before.abs() => {
                Self::Same
            }
            [Some(before), Some(after)] if after < before => Self::Helped,
            _ => Self::Harmed,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Helped => "helped",
            Self::Same => "no difference",
            Self::Harmed => "harmed",
        }
    }
}

impl Verdict<'_> {
    fn effect(&self) -> Effect {
        Effect::of(self.tried.map(Tried::validation_loss))
    }

    /// Returns whether the training has the symptom still, above a note.
    fn remains(&self) -> bool {
        let [_, after] = self.tried;
        let symptom = self.finding.symptom;
        after
            .diagnosis
            .above_note()
            .any(|finding| finding.symptom == symptom)
    }

    /// Returns one sentence.
    fn sentence(&self) -> String {
        let [before, after] = self.tried.map(|tried| loss(tried.validation_loss()));
        let told = format!("validation loss {before} before, {after} after");
        let is_there = if self.remains() {
            "is still found"
        } else {
            "is no longer found"
        };
        let symptom = self.finding.symptom.name();
        let judged = match self.effect() {
            Effect::Helped => "It helped",
            Effect::Same => "It made no difference",
            Effect::Harmed => "It made things worse",
        };
        format!("{judged}: {told}; \"{symptom}\" {is_there} (one seed).")
    }

    /// Returns the comparison for a terminal.
    pub(super) fn text(&self) -> String {
        let mut table = plain();
        table.set_header(["", "before", "after"]);
        for (key, values) in that_differ(&self.plans) {
            table.add_row([&key, &values[0], &values[1]]);
        }
        let row = |label: &str, cell: fn(&Tried) -> String| {
            let [before, after] = self.tried.map(cell);
            [label.to_owned(), before, after]
        };
        table.add_row(row("validation loss", |tried| {
            loss(tried.validation_loss())
        }));
        table.add_row(row("validation accuracy", |tried| {
            let accuracy = tried.validation_accuracy();
            accuracy.map_or_else(|| "-".to_owned(), |accuracy| significant(accuracy, 4))
        }));
        table.add_row(row("findings", findings));
        let [_, folder] = self.folders;
        format!(
            "{}\n\n{}\nIts files: {}",
            trimmed(&table),
            self.sentence(),
            printable(&folder.display().to_string())
        )
    }

    /// Returns the same as a document.
    pub(super) fn json(&self) -> Value {
        let changes: Vec<Value> = that_differ(&self.plans)
            .into_iter()
            .map(|(key, values)| json!({"setting": key, "before": values[0], "after": values[1]}))
            .collect();
        let side = |which: usize| {
            let tried = self.tried[which];
            let findings = tried.diagnosis.findings.iter();
            json!({
                "directory": self.folders[which],
                "diverged": tried.validation_loss().is_none(),
                "validation_loss": tried.validation_loss(),
                "validation_accuracy": tried.validation_accuracy(),
                "findings": findings.map(|finding| json!({
                    "symptom": finding.symptom,
                    "severity": finding.severity,
                })).collect::<Vec<_>>(),
            })
        };
        json!({
            "finding": self.number,
            "symptom": self.finding.symptom,
            "remedy": self.remedy,
            "in_words": self.remedy.to_string(),
            "changes": changes,
            "before": side(0),
            "after": side(1),
            "effect": self.effect().name(),
            "sentence": self.sentence(),
        })
    }
}

fn loss(loss: Option<f64>) -> String {
    loss.map_or_else(|| DIVERGED.to_owned(), |loss| significant(loss, 4))
}

/// Returns the findings above a note, a line each.
fn findings(tried: &Tried) -> String {
    let names: Vec<&str> = tried
        .diagnosis
        .above_note()
        .map(|finding| finding.symptom.name())
        .collect();
    if names.is_empty() {
        "none above a note".to_owned()
    } else {
        names.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effect_is_that_on_the_loss_and_a_diverged_run_is_worse_than_any() {
        for (losses, effect) in [
            ([Some(2.0), Some(1.0)], Effect::Helped),
            ([Some(1.0), Some(2.0)], Effect::Harmed),
            ([Some(1.0), Some(1.005)], Effect::Same),
            ([None, Some(9.0)], Effect::Helped),
            ([Some(9.0), None], Effect::Harmed),
            ([None, None], Effect::Same),
        ] {
            assert_eq!(Effect::of(losses), effect, "{losses:?}");
        }
    }
}
