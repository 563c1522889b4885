//! What is recorded and said beside the measurements.

use super::demand::to_come;
use super::measurer::Measurer;
use super::message::Message;
use super::observation::Observation;
use crate::record::Finding;
use crate::record::Value;
use crate::schedule::Schedule;
use crate::tag;
use crate::workload::Hessians;

impl<M> Measurer<M> {
    /// Adds how the products of this step were made.
    pub(super) fn note_products(&mut self, hessians: &Hessians, observation: &mut Observation) {
        for products in hessians.methods() {
            let method = products.method.to_string();
            if self.method.as_ref() != Some(&method) {
                let text = format!(
                    "Hessian products by {method}, over {} examples",
                    products.examples
                );
                observation.record(tag::METHOD, Value::Text(text));
                self.method = Some(method);
            }
            observation.findings.push(Finding::Products(products));
        }
        let found: Vec<_> = observation.products().cloned().collect();
        #[expect(clippy::cast_precision_loss, reason = "counts")]
        let mut scalar = |tag: &str, count: usize| {
            observation.record(tag, Value::Scalar(count as f64));
        };
        if hessians.products() > 0 {
            scalar(tag::PRODUCTS, hessians.products());
        }
        let unresolved = found.iter().map(|products| products.unresolved).sum();
        if unresolved > 0 {
            scalar(tag::UNRESOLVED, unresolved);
        }
        if let Some(small) = found
            .iter()
            .find(|products| products.examples < products.examples_given)
        {
            scalar(tag::EXAMPLES, small.examples);
        }
    }

    /// Adds the records of the cost.
    pub(super) fn account(&mut self, observation: &mut Observation) {
        if !self.cost_records {
            return;
        }
        let spent = self.spent();
        let numbers = [
            (tag::PROBE_SECONDS, spent.probes.as_secs_f64()),
            (tag::PROBE_FRACTION, spent.share()),
        ];
        for (tag, value) in numbers {
            observation.record(tag, Value::Scalar(value));
        }
        let entered = (self.clock)();
        self.write(&observation.records[observation.records.len() - numbers.len()..]);
        self.inside += (self.clock)().saturating_sub(entered);
    }

    /// Says at the first step what will be measured.
    pub(super) fn introduce(&mut self) {
        let scheduled = self
            .entries
            .iter()
            .filter(|entry| entry.schedule != Schedule::never());
        let list: Vec<String> = scheduled
            .map(|entry| format!("{} ({})", entry.name(), entry.schedule))
            .collect();
        if list.is_empty() {
            return;
        }
        let limit = match self.budget.share() {
            Some(share) => format!("at most {} % of the time", 100.0 * share),
            None => "without limit".to_owned(),
        };
        let text = format!("{limit}: {}", list.join(", "));
        (self.handler)(&Message::Plan(&text));
    }

    /// Says once how long what is still to come will take, when there is no limit.
    pub(super) fn foretell(&mut self, step: u64) {
        if self.budget.share().is_some() {
            return;
        }
        if let Some(text) = to_come(&mut self.entries, step, self.total_steps) {
            (self.handler)(&Message::Plan(&text));
        }
    }

    pub(super) fn tell_warnings(&mut self, observation: &Observation) {
        for text in &observation.warnings {
            (self.handler)(&Message::Warning {
                step: observation.step,
                text,
            });
        }
    }
}
