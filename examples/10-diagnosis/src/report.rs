//! The table and the picture.

use std::collections::BTreeSet;
use std::fmt::Write;

use anyhow::{Context, Result};
use pictures::{AxisScale, CurvesConfig, Picture, Series, curves_with, sheet};
use probes::diagnosis::Remedy;

use crate::failure::FAILURES;
use crate::training::Run;

/// A training that fails, the remedy of its diagnosis, and the training with it.
pub(crate) struct Pair {
    pub(crate) before: Run,
    /// None where the diagnosis has no remedy that this program can carry out.
    pub(crate) remedy: Option<Remedy>,
    pub(crate) after: Option<Run>,
}

/// Returns a few lines for each failure, with the figures of all seeds.
pub(crate) fn table(found: &[Vec<Pair>]) -> String {
    let mut text = String::new();
    for (failure, pairs) in FAILURES.iter().zip(found) {
        let firsts = pairs.iter().map(|pair| {
            let first = pair.before.diagnosis.above_note().next();
            first.map_or("nothing", |finding| finding.symptom.name())
        });
        let remedies = pairs.iter().map(|pair| {
            let remedy = pair.remedy.map(|remedy| remedy.to_string());
            remedy.unwrap_or_else(|| "none that is a change of settings".to_owned())
        });
        let quiet = |pair: &&Pair| {
            let after = pair.after.as_ref();
            after.is_some_and(|run| run.diagnosis.above_note().next().is_none())
        };
        let _ = writeln!(text, "{}", failure.name);
        let _ = writeln!(text, "  found             {}", all(firsts));
        let _ = writeln!(text, "  remedy            {}", all(remedies));
        let before = pairs.iter().map(|pair| loss(Some(&pair.before)));
        let after = pairs.iter().map(|pair| loss(pair.after.as_ref()));
        let _ = writeln!(text, "  validation loss   {}", join(before));
        let _ = writeln!(text, "  with the remedy   {}", join(after));
        let _ = writeln!(
            text,
            "  nothing left      {} of {}\n",
            pairs.iter().filter(quiet).count(),
            pairs.len()
        );
    }
    text
}

fn loss(run: Option<&Run>) -> String {
    let diverged = || "diverged".to_owned();
    run.map_or_else(
        || "-".to_owned(),
        |run| {
            run.validation
                .map_or_else(diverged, |loss| format!("{loss:.4}"))
        },
    )
}

fn join(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join("  ")
}

/// Returns the different ones.
fn all<T: Into<String>>(words: impl Iterator<Item = T>) -> String {
    let different: BTreeSet<String> = words.map(Into::into).collect();
    different.into_iter().collect::<Vec<_>>().join("; ")
}

/// Draws the training loss of the first seed before and after, a panel for each failure; returns
/// the path.
pub(crate) fn picture(found: &[Vec<Pair>]) -> Result<&'static str> {
    const FOLDER: &str = "runs/example-diagnosis";
    const PATH: &str = "runs/example-diagnosis/losses.png";
    std::fs::create_dir_all(FOLDER).with_context(|| format!("cannot create {FOLDER}"))?;
    let panels: Vec<Picture> = FAILURES
        .iter()
        .zip(found)
        .map(|(failure, pairs)| {
            let shown = if failure.together {
                &pairs[..]
            } else {
                &pairs[..1]
            };
            panel(failure.name, shown)
        })
        .collect::<Result<_, _>>()?;
    let sheet = sheet(&panels, "Training loss before and after the remedy")?;
    std::fs::write(PATH, sheet.png()?)?;
    Ok(PATH)
}

/// Draws the losses of one seed, or of several that are diagnosed together.
fn panel(name: &str, pairs: &[Pair]) -> Result<Picture, pictures::Error> {
    let several = pairs.len() > 1;
    let called = |what: String, seed: usize| {
        if several {
            format!("{what}, seed {seed}")
        } else {
            what
        }
    };
    let mut curves: Vec<(String, &[f64])> = Vec::new();
    for (seed, pair) in pairs.iter().enumerate() {
        curves.push((called("as it fails".to_owned(), seed), &pair.before.losses));
        if let (Some(remedy), Some(after)) = (pair.remedy, &pair.after) {
            curves.push((called(remedy.to_string(), seed), &after.losses));
        }
    }
    // A logarithm shows no loss that is not finite.
    let finite = |losses: &[f64]| losses.iter().take_while(|loss| loss.is_finite()).count();
    let most = curves.iter().map(|(_, losses)| losses.len()).max();
    let steps: Vec<f64> = (0..most.unwrap_or(0)).map(|step| step as f64).collect();
    let series: Vec<Series<'_>> = curves
        .iter()
        .map(|(name, losses)| Series {
            name,
            x: &steps[..finite(losses)],
            y: &losses[..finite(losses)],
        })
        .collect();
    let config = CurvesConfig {
        x_label: "step".into(),
        y_label: "training loss of a batch".into(),
        scale: AxisScale::Log,
        ..CurvesConfig::new(name)
    };
    curves_with(&series, &config)
}
