//! The spectra of the weight matrices.

use std::fmt::Write;
use std::time::Instant;

use burn::module::Module;
use landscape::ParameterSpace;
use landscape::weights::{WeightSpectrum, spectra};

use crate::budget::MeasuringCost;
use crate::record::Records;
use crate::{Error, Moment, Probe, tag};

/// Seconds of one of the `m n²` operations of a decomposition, until the first has told.
const SECONDS: f64 = 2e-9;

/// The spectrum of each weight matrix, without data: `weights/{layer}/alpha` with its standard
/// error `../alpha_error` and the number of eigenvalues in the tail `../alpha_tail`,
/// `../stable_rank` and `../spectral_norm`; all of them as a table under `weights/spectra`, which
/// marks the exponents of tails of fewer than 50 eigenvalues. [`landscape::weights`] defines them.
///
/// A layer is the path of its weight, with `/` for the dots and without a last `weight`.
#[derive(Debug, Clone)]
pub struct WeightSpectra {
    /// Seconds of one operation.
    seconds: f64,
}

impl WeightSpectra {
    /// Measures the weights of whatever model is observed.
    #[must_use]
    pub const fn new() -> Self {
        Self { seconds: SECONDS }
    }
}

impl Default for WeightSpectra {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns how many operations the decompositions take.
fn operations<M: Module>(model: &M) -> Result<f64, Error> {
    let blocks = ParameterSpace::of(model)?.blocks;
    let matrices = blocks.iter().filter(|block| block.filter_axis.is_some());
    let each = matrices.map(|block| {
        let rows = block.filters().count().max(1);
        let columns = block.len() / rows;
        (block.len() * rows.min(columns)) as f64
    });
    Ok(each.sum())
}

impl<M: Module> Probe<M> for WeightSpectra {
    fn name(&self) -> String {
        "weight spectra".into()
    }

    fn cost(&self, moment: &Moment<'_, M>) -> Result<Option<MeasuringCost>, Error> {
        let seconds = self.seconds * operations(moment.model)?;
        Ok(Some(MeasuringCost::fixed(seconds)))
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let started = Instant::now();
        let found = spectra(moment.model)?;
        self.seconds = started.elapsed().as_secs_f64() / operations(moment.model)?.max(1.0);
        if found.is_empty() {
            return Ok(());
        }
        for spectrum in &found {
            let layer = layer(&spectrum.path);
            let mut add = |quantity, value| {
                records.scalar(format!("{}{layer}/{quantity}", tag::WEIGHTS), value);
            };
            if let Some(law) = &spectrum.tail {
                add("alpha", law.alpha);
                add("alpha_error", law.standard_error);
                add("alpha_tail", law.tail as f64);
            }
            if let Some(rank) = spectrum.stable_rank {
                add("stable_rank", rank);
            }
            add("spectral_norm", spectrum.spectral_norm());
        }
        records.text(tag::WEIGHT_SPECTRA, table(&found));
        Ok(())
    }
}

/// Returns the part of a tag that stands for a weight at this path.
fn layer(path: &str) -> String {
    path.strip_suffix(".weight")
        .unwrap_or(path)
        .replace('.', "/")
}

/// Returns the spectra as a table in markdown.
fn table(found: &[WeightSpectrum]) -> String {
    let mut text =
        "| weight | matrix | spectral norm | stable rank | alpha | tail | KS distance |\n\
                    | --- | --- | ---: | ---: | ---: | ---: | ---: |\n"
            .to_owned();
    let mut any_small = false;
    for spectrum in found {
        let rank = spectrum
            .stable_rank
            .map_or("-".into(), |rank| format!("{rank:.2}"));
        let tail = match &spectrum.tail {
            None => "- | - | -".into(),
            Some(law) => {
                any_small |= law.is_small();
                let mark = if law.is_small() { " *" } else { "" };
                format!(
                    "{:.2} ± {:.2}{mark} | {} of {} | {:.3}",
                    law.alpha,
                    law.standard_error,
                    law.tail,
                    spectrum.singular_values.len(),
                    law.distance
                )
            }
        };
        let _ = writeln!(
            text,
            "| `{}` | {} × {} | {:.3} | {rank} | {tail} |",
            spectrum.path,
            spectrum.rows,
            spectrum.columns,
            spectrum.spectral_norm(),
        );
    }
    if any_small {
        text.push_str("\n\\* a tail of fewer than 50 eigenvalues: the exponent is off by more than its standard error says\n");
    }
    text
}
