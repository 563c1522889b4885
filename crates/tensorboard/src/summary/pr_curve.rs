//! The precision-recall curve of a classifier's scores.

use super::{Data, Kind};
use crate::proto::{DT_FLOAT, Tensor};
use crate::{Error, EventWriter};
use prost::Message;

/// The least divisor of a precision or recall, so that nothing over nothing is zero.
const LEAST_COUNT: f64 = 1e-7;

/// How a curve is computed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrCurveConfig<'a> {
    /// The number of thresholds, evenly spaced from 0 to 1; at least 2. PyTorch has 127,
    /// TensorBoard 201.
    pub thresholds: usize,
    /// The weight of each example; none where all have 1.
    pub weights: Option<&'a [f64]>,
}

impl Default for PrCurveConfig<'_> {
    fn default() -> Self {
        Self {
            thresholds: 127,
            weights: None,
        }
    }
}

/// Precision and recall over the threshold from which on a score counts as positive.
///
/// ```text
/// precision = TP / (TP + FP)    recall = TP / (TP + FN)
/// ```
///
/// at the threshold `k / (thresholds − 1)`. Counts are sums of weights. Where nothing is counted
/// the ratio is zero.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PrCurve {
    /// Weight of the positive examples at or above each threshold.
    pub true_positives: Vec<f64>,
    /// Weight of the negative examples at or above each threshold.
    pub false_positives: Vec<f64>,
    /// Weight of the negative examples below each threshold.
    pub true_negatives: Vec<f64>,
    /// Weight of the positive examples below each threshold.
    pub false_negatives: Vec<f64>,
    /// Precision at each threshold.
    pub precision: Vec<f64>,
    /// Recall at each threshold.
    pub recall: Vec<f64>,
}

impl PrCurve {
    /// Returns the curve of scores between 0 and 1, each with the label that is true of it.
    ///
    /// Computed as TensorBoard's own `pr_curve.summary` does: a score `s` counts in the bin
    /// `⌊s (thresholds − 1)⌋`, and a threshold in all bins from its own one on.
    ///
    /// # Errors
    /// [`Error::PrCurve`] when the lengths differ, there are no scores, a score lies outside of 0
    /// to 1, there are fewer than 2 thresholds, or a weight is negative or not finite.
    ///
    /// # Examples
    /// ```
    /// use tensorboard::{PrCurve, PrCurveConfig};
    ///
    /// let scores = [0.1, 0.4, 0.6, 0.9];
    /// let labels = [false, true, false, true];
    /// let config = PrCurveConfig {
    ///     thresholds: 3,
    ///     ..PrCurveConfig::default()
    /// };
    /// let curve = PrCurve::of(&scores, &labels, &config)?;
    /// // At 0, 0.5 and 1: all, the last two, and none.
    /// assert_eq!(curve.true_positives, [2.0, 1.0, 0.0]);
    /// assert_eq!(curve.precision, [0.5, 0.5, 0.0]);
    /// assert_eq!(curve.recall, [1.0, 0.5, 0.0]);
    /// # Ok::<(), tensorboard::Error>(())
    /// ```
    pub fn of(scores: &[f64], labels: &[bool], config: &PrCurveConfig<'_>) -> Result<Self, Error> {
        let wrong = |rule| Err(Error::PrCurve { rule });
        let PrCurveConfig {
            thresholds,
            weights,
        } = *config;
        let count = scores.len();
        if count == 0 {
            return wrong("it needs at least one score".into());
        }
        if labels.len() != count || weights.is_some_and(|weights| weights.len() != count) {
            return wrong(format!(
                "{count} scores have {} labels and {} weights",
                labels.len(),
                weights.map_or(count, <[f64]>::len)
            ));
        }
        if !(2..=1 << 20).contains(&thresholds) {
            return wrong(format!(
                "it needs 2 to 1048576 thresholds, not {thresholds}"
            ));
        }
        let (mut positive, mut negative) = (vec![0.0; thresholds], vec![0.0; thresholds]);
        for (index, (&score, &label)) in scores.iter().zip(labels).enumerate() {
            if !(0.0..=1.0).contains(&score) {
                return wrong(format!("score {index} is {score}, not between 0 and 1"));
            }
            let weight = weights.map_or(1.0, |weights| weights[index]);
            if !(weight >= 0.0 && weight.is_finite()) {
                return wrong(format!(
                    "weight {index} is {weight}, not a finite number of 0 or more"
                ));
            }
            let bins = if label { &mut positive } else { &mut negative };
            bins[bin(score, thresholds)] += weight;
        }
        let [true_positives, false_positives] = [positive, negative].map(sums_from_the_end);
        let below = |above: &[f64]| above.iter().map(|x| above[0] - x).collect::<Vec<_>>();
        let (true_negatives, false_negatives) = (below(&false_positives), below(&true_positives));
        let share = |others: &[f64]| {
            let pairs = true_positives.iter().zip(others);
            pairs
                .map(|(hits, others)| hits / (hits + others).max(LEAST_COUNT))
                .collect()
        };
        Ok(Self {
            precision: share(&false_positives),
            recall: share(&false_negatives),
            true_positives,
            false_positives,
            true_negatives,
            false_negatives,
        })
    }

    /// Returns the number of thresholds.
    #[must_use]
    pub fn thresholds(&self) -> usize {
        self.precision.len()
    }

    fn rows(&self) -> [&Vec<f64>; 6] {
        [
            &self.true_positives,
            &self.false_positives,
            &self.true_negatives,
            &self.false_negatives,
            &self.precision,
            &self.recall,
        ]
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "between 0 and the number of thresholds, which is below 2^21"
)]
fn bin(score: f64, thresholds: usize) -> usize {
    (score * (thresholds - 1) as f64).floor() as usize
}

/// Returns the sum of each number and all after it.
fn sums_from_the_end(mut numbers: Vec<f64>) -> Vec<f64> {
    let mut sum = 0.0;
    for number in numbers.iter_mut().rev() {
        sum += *number;
        *number = sum;
    }
    numbers
}

/// What the plugin wants to know.
#[derive(Clone, PartialEq, Message)]
struct PrCurvePluginData {
    #[prost(int32, tag = "1")]
    version: i32,
    #[prost(uint32, tag = "2")]
    num_thresholds: u32,
}

impl EventWriter {
    /// Writes a precision-recall curve, for the page PR Curves, which has a slider over the steps.
    ///
    /// # Errors
    /// [`Error::PrCurve`] when its lists differ in length, [`Error::EmptyTag`],
    /// [`Error::StepNotIncreasing`], [`Error::StepBeforeStart`], [`Error::TagKind`]; nothing is
    /// written then. Failed output is not an error here, see [`EventWriter`].
    ///
    /// # Examples
    /// ```
    /// use tensorboard::{EventWriter, PrCurve, PrCurveConfig};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let mut writer = EventWriter::create(folder.path())?;
    /// let curve = PrCurve::of(&[0.2, 0.8], &[false, true], &PrCurveConfig::default())?;
    /// writer.pr_curve("digits/seven", 0, &curve)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pr_curve(&mut self, tag: &str, step: i64, curve: &PrCurve) -> Result<(), Error> {
        let thresholds = curve.thresholds();
        if thresholds < 2 || curve.rows().iter().any(|row| row.len() != thresholds) {
            return Err(Error::PrCurve {
                rule: format!("its lists have {:?} thresholds", curve.rows().map(Vec::len)),
            });
        }
        #[expect(clippy::cast_possible_truncation, reason = "TensorBoard has f32 there")]
        let bytes = |&x: &f64| (x as f32).to_le_bytes();
        let tensor = Tensor {
            tensor_content: curve.rows().into_iter().flatten().flat_map(bytes).collect(),
            ..Tensor::of(DT_FLOAT, &[6, thresholds])
        };
        let plugin = PrCurvePluginData {
            version: 0,
            num_thresholds: u32::try_from(thresholds).unwrap_or(u32::MAX),
        };
        let data = Data::Described(tensor, plugin.encode_to_vec());
        self.write(Kind::PrCurve, step, vec![(tag, data)])
    }
}

pub(super) fn decode(tensor: &Tensor) -> Option<PrCurve> {
    let sizes = &tensor.tensor_shape.as_ref()?.dim;
    let [six, thresholds] = sizes.as_slice() else {
        return None;
    };
    let numbers = tensor.numbers()?;
    let thresholds = usize::try_from(thresholds.size).ok()?;
    if six.size != 6
        || thresholds == 0
        || numbers.len() / 6 != thresholds
        || !numbers.len().is_multiple_of(6)
    {
        return None;
    }
    let mut rows = numbers.chunks(thresholds).map(<[f64]>::to_vec);
    let mut next = || rows.next();
    Some(PrCurve {
        true_positives: next()?,
        false_positives: next()?,
        true_negatives: next()?,
        false_negatives: next()?,
        precision: next()?,
        recall: next()?,
    })
}
