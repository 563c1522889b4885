//! The models of a command line, with their names.

use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::engine::analysis::{Analysis, Point};
use crate::engine::spread::SpreadOver;
use crate::engine::watch::Watch;
use crate::interrupt::Interrupt;
use crate::report::progress::Progress;

/// A model with its name.
pub(in crate::command) struct Named {
    /// Its name in the tables.
    pub(in crate::command) name: String,
    /// The origin of its weights, for the document.
    pub(in crate::command) origin: Value,
    /// The network, in words.
    pub(in crate::command) network: String,
    /// The step of a checkpoint.
    pub(in crate::command) step: Option<usize>,
    /// Remarks for the reader: newer checkpoints that are damaged.
    pub(in crate::command) notes: Vec<String>,
    /// The model.
    pub(in crate::command) point: Box<dyn Point>,
}

/// The models of a command line.
pub(in crate::command) struct Gathered {
    /// The models, at least one.
    pub(in crate::command) points: Vec<Named>,
    /// Seed of all that is random.
    pub(in crate::command) seed: u64,
    /// The folder of the results.
    pub(in crate::command) folder: PathBuf,
    /// The name of the data.
    pub(in crate::command) data_name: String,
    /// The data set in the document.
    pub(in crate::command) data: Value,
    /// The devices over which the measurements are spread.
    pub(in crate::command) spread: Option<SpreadOver>,
}

impl Named {
    /// Returns the model in the document.
    pub(in crate::command) fn document(&self) -> Value {
        json!({
            "name": self.name,
            "origin": self.origin,
            "network": self.network,
            "parameters": self.point.parameters(),
            "weights_crc32c": self.point.weights_crc32c(),
        })
    }
}

impl Gathered {
    /// Returns the names of all models as a list: "sgd, sam and asam".
    pub(in crate::command) fn joined_names(&self) -> String {
        let names: Vec<&str> = self.points.iter().map(|named| &*named.name).collect();
        match names.as_slice() {
            [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
            names => names.concat(),
        }
    }

    /// Returns how many training examples the models are measured on.
    pub(in crate::command) fn examples(&self) -> usize {
        let first = self.points.first().expect("there is one model at least");
        first.point.examples()
    }

    /// Says which devices have failed, if any has.
    pub(in crate::command) fn tell_lost_devices(&self) {
        if let Some(spread) = &self.spread {
            spread.tell_lost();
        }
    }

    /// Checks every model.
    ///
    /// # Errors
    /// As [`Point::check`]; with the name of the model where there are several.
    pub(in crate::command) fn check(&self, analysis: &Analysis) -> anyhow::Result<()> {
        for named in &self.points {
            let checked = named.point.check(analysis);
            if self.points.len() > 1 {
                checked.with_context(|| named.name.clone())?;
            } else {
                checked?;
            }
        }
        Ok(())
    }
}

/// Makes the watch over the work that is the `number`th of `count` and about some models, and tells
/// what is to be known about them.
pub(in crate::command) fn watch<'n>(
    name: &str,
    [number, count]: [usize; 2],
    models: impl IntoIterator<Item = &'n Named>,
    interrupt: &Interrupt,
) -> Watch {
    let progress = Progress::of_measurements(&match count {
        1 => name.to_owned(),
        count => format!("{name} ({number} of {count})"),
    });
    for note in models.into_iter().flat_map(|named| &named.notes) {
        progress.warn(note);
    }
    Watch::new(progress, interrupt.clone())
}
