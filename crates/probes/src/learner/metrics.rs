//! The learner's own metrics, in the sinks of the probes.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use burn::train::logger::{FileMetricLogger, MetricLogger};
use burn::train::metric::store::{EpochSummary, MetricsUpdate, Split};
use burn::train::metric::{MetricDefinition, MetricId, NumericEntry};

use super::watch::Watch;

/// Hands a learner's metrics to the sinks of the probes, for
/// `SupervisedTraining::with_metric_logger`.
///
/// A metric of the name "Top-K Accuracy" has the tags `top_k_accuracy/train`, one value a step (the
/// mean over its batches where gradients are accumulated), `top_k_accuracy/train_epoch` and
/// `top_k_accuracy/valid`, one value an epoch at the step where the epoch ends. The values are
/// Burn's own: its accuracy is in per cent. The learning rate is left out, for
/// [`WithProbes`](super::WithProbes) writes it at each step, as `training/learning_rate`.
///
/// Burn's own files of each metric are written as before: a learner takes any logger of metrics in
/// place of the one for files, and early stopping and the choice of checkpoints read from that.
pub struct Metrics<M, N = M> {
    files: FileMetricLogger,
    watch: Arc<Watch<M, N>>,
    /// The first part of a metric's tags.
    areas: HashMap<MetricId, String>,
    step: u64,
    /// Sums and counts over the batches of the update `step`.
    batches: BTreeMap<String, (f64, u32)>,
}

impl<M: Borrow<N>, N: Clone> Metrics<M, N> {
    pub(super) fn new(directory: &Path, watch: Arc<Watch<M, N>>) -> Self {
        watch.expect_metrics();
        Self {
            files: FileMetricLogger::new(directory),
            watch,
            areas: HashMap::new(),
            step: 0,
            batches: BTreeMap::new(),
        }
    }

    fn hand_on(&mut self, update: &MetricsUpdate, split: &Split) {
        let numbers: Vec<(&String, &NumericEntry)> = update
            .entries_numeric
            .iter()
            .filter_map(|one| {
                let area = self.areas.get(&one.entry.metric_id)?;
                Some((area, one.numeric_entry.as_ref()?))
            })
            .collect();
        let of_epoch = |entry: &NumericEntry| matches!(entry, NumericEntry::Final(_));
        if numbers.iter().any(|(_, entry)| of_epoch(entry)) {
            let name = match split {
                Split::Train => "train_epoch",
                Split::Valid => "valid",
                Split::Test(_) => return,
            };
            let tagged = |(area, entry): &(&String, &NumericEntry)| {
                (format!("{area}/{name}"), entry.current())
            };
            let values: Vec<_> = numbers.iter().map(tagged).collect();
            self.end_update();
            for (tag, value) in values {
                self.watch.log(&tag, self.step, value);
            }
        } else if *split == Split::Train {
            let tagged = |(area, entry): &(&String, &NumericEntry)| {
                (format!("{area}/train"), entry.current())
            };
            let values: Vec<_> = numbers.iter().map(tagged).collect();
            let Some(step) = self.watch.next_batch() else {
                return;
            };
            if step != self.step {
                self.end_update();
                self.step = step;
            }
            for (tag, value) in values {
                let (sum, count) = self.batches.entry(tag).or_default();
                *sum += value;
                *count += 1;
            }
        }
    }

    fn end_update(&mut self) {
        for (tag, (sum, count)) in std::mem::take(&mut self.batches) {
            self.watch.log(&tag, self.step, sum / f64::from(count));
        }
    }
}

impl<M, N> MetricLogger for Metrics<M, N>
where
    M: Borrow<N> + Send,
    N: Clone + Send,
{
    fn log(&mut self, update: MetricsUpdate, epoch: usize, split: &Split) {
        self.hand_on(&update, split);
        self.files.log(update, epoch, split);
    }

    fn read_numeric(
        &mut self,
        name: &str,
        epoch: usize,
        split: &Split,
    ) -> Result<Vec<NumericEntry>, String> {
        self.files.read_numeric(name, epoch, split)
    }

    fn log_metric_definition(&mut self, definition: MetricDefinition) {
        let area = snake_case(&definition.name);
        if area != "learning_rate" {
            self.areas.insert(definition.metric_id.clone(), area);
        }
        self.files.log_metric_definition(definition);
    }

    fn log_epoch_summary(&mut self, summary: EpochSummary) {
        self.files.log_epoch_summary(summary);
    }
}

/// Letters and digits in lower case, with one `_` for whatever is between them.
fn snake_case(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric());
    let words: Vec<String> = words
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.join("_")
}
