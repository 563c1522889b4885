//! Losses and accuracies over whole parts of the data.

use burn::module::Module;
use landscape::Batch;
use serde_json::{Map, Value, json};

use super::bench::{Bench, Finding, Row, number};
use super::request::Parts;
use crate::engine::accuracy::right;
use crate::engine::watch::timed;
use crate::report::number::significant;
use crate::workload::{Part, Workload};

impl<W: Workload> Bench<'_, W> {
    pub(super) fn losses(&self, model: &W::Model, parts: Parts) -> anyhow::Result<Finding> {
        let measured: &[Part] = match parts {
            Parts::All => &Part::ALL,
            Parts::WithoutTest => &[Part::Training, Part::Validation],
        };
        let (mut values, mut rows) = (Map::new(), Vec::new());
        for (done, part) in (1..).zip(measured) {
            let (name, batches) = (part.name(), self.data.batches(*part, &self.device));
            let asked: usize = batches.iter().map(Batch::examples).sum();
            let right = self.right(model, &batches);
            let (loss, seconds) = timed(|| self.data.risk(batches).value(model));
            let loss = loss?;
            values.insert(format!("{name}_loss"), number(loss));
            rows.push(
                Row::new(format!("{name} loss"), significant(loss, 4), "exact")
                    .after(asked, "examples", seconds),
            );
            if let Some(right) = right {
                let share = right as f64 / asked as f64;
                values.insert(format!("{name}_accuracy"), number(share));
                rows.push(Row {
                    work: format!("{right} right"),
                    ..Row::new(format!("{name} accuracy"), format!("{share:.4}"), "exact")
                });
            }
            if self.watch.goes_on(done, None, "parts").is_break() {
                anyhow::bail!("stopped");
            }
        }
        Ok(Finding {
            key: "losses",
            value: json!(Value::Object(values)),
            rows,
            remarks: Vec::new(),
            files: Vec::new(),
        })
    }

    /// Returns how many examples are classified right, where there are classes.
    fn right(&self, model: &W::Model, batches: &[W::Batch]) -> Option<usize> {
        let model = model.valid();
        let of =
            |batch| right(self.data.workload().as_ref(), &model, batch).map(|(right, _)| right);
        batches.iter().map(of).sum()
    }
}
