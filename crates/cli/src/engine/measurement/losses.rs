//! Losses and accuracies over whole parts of the data.

use serde_json::{Map, Value, json};

use super::bench::{Bench, Finding, Row, number, timed};
use super::request::Parts;
use crate::engine::data::Batch;
use crate::engine::instruments::{right, risk};
use crate::engine::network::Network;
use crate::report::number::significant;

impl Bench<'_> {
    pub(super) fn losses<M: Network>(&self, model: &M, parts: Parts) -> anyhow::Result<Finding> {
        let device = &self.device;
        let mut all = vec![
            ("training", self.data.training_batches(device)?),
            ("validation", self.data.validation_batches(device)?),
        ];
        if parts == Parts::All {
            all.push(("test", self.data.test_batches(device)?));
        }
        let (mut values, mut rows) = (Map::new(), Vec::new());
        for (part, batches) in all {
            let accuracy = accuracy(model, &batches);
            let (loss, seconds) = timed(|| risk::<M>(batches).value(model));
            let (loss, (right, asked)) = (loss?, accuracy);
            let share = right as f64 / asked as f64;
            values.insert(format!("{part}_loss"), number(loss));
            values.insert(format!("{part}_accuracy"), number(share));
            rows.push(
                Row::new(format!("{part} loss"), significant(loss, 4), "exact")
                    .after(asked, "examples", seconds),
            );
            rows.push(Row {
                work: format!("{right} right"),
                ..Row::new(format!("{part} accuracy"), format!("{share:.4}"), "exact")
            });
            if self.goes_on(rows.len() / 2, None, "parts").is_break() {
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
}

/// How many examples are classified right, and how many there are.
fn accuracy<M: Network>(model: &M, batches: &[Batch]) -> (usize, usize) {
    let model = model.valid();
    batches.iter().fold((0, 0), |(right_so_far, asked), batch| {
        let (of_batch, examples) = right(&model, batch);
        (right_so_far + of_batch, asked + examples)
    })
}
