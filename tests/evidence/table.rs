//! A table of figures with their spread.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Serialize;

/// Rows of named figures.
#[derive(Serialize)]
pub(crate) struct Table {
    /// The setting of the experiment in a sentence: data, seeds, settings.
    pub(crate) setting: String,
    /// Names of the columns, the first that of the rows.
    pub(crate) columns: Vec<String>,
    /// The rows.
    pub(crate) rows: Vec<Row>,
}

/// A row.
#[derive(Serialize)]
pub(crate) struct Row {
    /// Its name.
    pub(crate) name: String,
    /// A figure for each further column.
    pub(crate) figures: Vec<Figure>,
}

impl Row {
    /// A row of single values.
    pub(crate) fn of(name: impl Into<String>, values: impl IntoIterator<Item = f64>) -> Self {
        let figures = values.into_iter().map(|value| Figure::of(vec![value]));
        Self {
            name: name.into(),
            figures: figures.collect(),
        }
    }
}

/// A mean over repetitions, or a single value.
#[derive(Serialize)]
pub(crate) struct Figure {
    /// The mean.
    pub(crate) mean: f64,
    /// Sample standard deviation over the repetitions; absent for a single value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) spread: Option<f64>,
    /// The word that stands for a figure that cannot be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) missing: Option<&'static str>,
    /// The values themselves.
    pub(crate) values: Vec<f64>,
}

impl Figure {
    /// The mean and spread of some values.
    #[allow(clippy::cast_precision_loss, reason = "a handful of values")]
    pub(crate) fn of(values: Vec<f64>) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let square = values
            .iter()
            .map(|value| (value - mean).powi(2))
            .sum::<f64>();
        let spread = (values.len() > 1).then(|| (square / (n - 1.0)).sqrt());
        Self {
            mean,
            spread,
            missing: None,
            values,
        }
    }

    /// No figure, and a word for why.
    pub(crate) fn missing(why: &'static str) -> Self {
        Self {
            mean: 0.0,
            spread: None,
            missing: Some(why),
            values: Vec::new(),
        }
    }

    fn text(&self) -> String {
        if let Some(why) = self.missing {
            return why.to_owned();
        }
        match self.spread {
            Some(spread) => format!("{} ± {}", number(self.mean), number(spread)),
            None => number(self.mean),
        }
    }
}

fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        1e-3..1e5 => {
            // Four significant digits.
            let before = value.abs().log10().floor();
            let digits = (3.0 - before).clamp(0.0, 6.0);
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "0 to 6"
            )]
            let digits = digits as usize;
            format!("{value:.digits$}")
        }
        _ => format!("{value:.1e}"),
    }
}

impl Table {
    /// A table whose figures are all there and finite.
    pub(crate) fn check(&self) -> Result<()> {
        ensure!(!self.rows.is_empty(), "the table is empty");
        for row in &self.rows {
            ensure!(
                row.figures.len() + 1 == self.columns.len(),
                "row {} has {} figures for {} columns",
                row.name,
                row.figures.len(),
                self.columns.len() - 1
            );
            let finite = row.figures.iter().all(|figure| figure.mean.is_finite());
            ensure!(finite, "row {} has a figure that is not finite", row.name);
        }
        Ok(())
    }

    /// The table in markdown, preceded by its setting.
    pub(crate) fn markdown(&self) -> String {
        let mut lines = vec![self.setting.clone(), String::new()];
        lines.push(format!("| {} |", self.columns.join(" | ")));
        lines.push(format!("|{}", " --- |".repeat(self.columns.len())));
        for row in &self.rows {
            let figures: Vec<String> = row.figures.iter().map(Figure::text).collect();
            lines.push(format!("| {} | {} |", row.name, figures.join(" | ")));
        }
        lines.join("\n") + "\n"
    }

    /// Writes `NAME.json` and `NAME.md`.
    pub(crate) fn write(&self, folder: &Path, name: &str, question: &str) -> Result<()> {
        let json = serde_json::to_string_pretty(self)?;
        let markdown = format!("# {name}\n\n{question}\n\n{}", self.markdown());
        for (extension, text) in [("json", json), ("md", markdown)] {
            let path = folder.join(format!("{name}.{extension}"));
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}
