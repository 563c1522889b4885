//! Images classified by a bundled network, as a workload.

use std::sync::Arc;

use burn::nn::loss::CrossEntropyLossConfig;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Bool, Device, Int, Tensor};
use models::Classifier;

use super::images::Images;
use crate::workload::{Part, Workload};

/// A function from a seed and a device to a network with its initial weights.
pub(super) type Initial<M> = dyn Fn(u64, &Device) -> M + Send + Sync;

/// Images, and how the network that classifies them is made from a seed.
pub(super) struct Classification<M> {
    pub(super) images: Arc<Images>,
    pub(super) network: Box<Initial<M>>,
}

impl<M: Classifier + 'static> Workload for Classification<M> {
    type Model = M;
    /// Images `[B, 1, H, W]` and labels `[B]`.
    type Batch = (Tensor<4>, Tensor<1, Int>);

    fn model(&self, seed: u64, device: &Device) -> M {
        (self.network)(seed, device)
    }

    fn examples(&self, part: Part) -> usize {
        self.images.part(part).len()
    }

    fn batch(&self, part: Part, indices: &[usize], device: &Device) -> Self::Batch {
        let batch = datasets::batch(self.images.part(part), indices, device);
        (batch.images, batch.labels)
    }

    /// Returns the cross-entropy in nats.
    fn loss(&self, model: &M, (images, labels): &Self::Batch) -> Tensor<1> {
        cross_entropy(model.logits(images.clone()), labels)
    }

    fn outputs(&self, model: &M, (images, _): &Self::Batch) -> Option<Tensor<2>> {
        Some(model.logits(images.clone()))
    }

    fn loss_of_outputs(&self, logits: Tensor<2>, (_, labels): &Self::Batch) -> Option<Tensor<1>> {
        Some(cross_entropy(logits, labels))
    }

    // Burn's loss gives a mean only.
    fn losses(&self, model: &M, (images, labels): &Self::Batch) -> Option<Tensor<1>> {
        let [examples] = labels.dims();
        let losses = log_softmax(model.logits(images.clone()), 1)
            .gather(1, labels.clone().reshape([examples, 1]))
            .neg();
        Some(losses.reshape([examples]))
    }

    fn correct(&self, model: &M, (images, labels): &Self::Batch) -> Option<Tensor<1, Bool>> {
        let [examples] = labels.dims();
        let guesses = model.logits(images.clone()).argmax(1);
        Some(guesses.reshape([examples]).equal(labels.clone()))
    }
}

/// Returns the mean cross-entropy in nats.
fn cross_entropy(logits: Tensor<2>, labels: &Tensor<1, Int>) -> Tensor<1> {
    CrossEntropyLossConfig::new()
        .init(&logits.device())
        .forward(logits, labels.clone())
}

#[cfg(test)]
mod tests {
    use models::{Mlp, MlpConfig};

    use super::*;
    use crate::config::bounded::Bounded;
    use crate::config::choice::Source;
    use crate::config::subject::DatasetPlan;
    use crate::config::variation::Alteration;

    fn digits() -> Classification<Mlp> {
        let plan = DatasetPlan {
            source: Source::Digits,
            path: None,
            classes: None,
            validation: Bounded::new(0.2).unwrap(),
            split_seed: 0,
        };
        let network = |seed, device: &Device| {
            MlpConfig::new(vec![64, 16, 10])
                .init_seeded(seed, device)
                .unwrap()
        };
        Classification {
            images: Arc::new(Images::load(&plan, &Alteration::default()).unwrap()),
            network: Box::new(network),
        }
    }

    #[test]
    fn loss_of_a_batch_is_the_mean_of_the_losses_of_its_examples() {
        let (digits, device) = (digits(), Device::flex());
        let model = digits.model(7, &device);
        for count in [1, 5, 64] {
            let indices: Vec<usize> = (0..count).collect();
            let batch = digits.batch(Part::Training, &indices, &device);
            let loss: f64 = digits.loss(&model, &batch).into_scalar();
            let losses = digits.losses(&model, &batch).unwrap();
            assert_eq!(losses.dims(), [count]);
            let mean: f64 = losses.mean().into_scalar();
            // A sum of 64 in single precision.
            assert!((loss - mean).abs() <= 1e-6 * loss, "{loss} and {mean}");
        }
    }

    #[test]
    fn example_is_right_where_its_largest_logit_is_at_its_label() {
        let (digits, device) = (digits(), Device::flex());
        let model = digits.model(7, &device);
        let (images, labels) = digits.batch(Part::Test, &[0, 1, 2, 3, 4, 5, 6, 7], &device);
        let logits: Vec<f32> = model
            .forward(images.clone())
            .into_data()
            .try_to_vec()
            .unwrap();
        let answers = labels.to_data().iter::<i64>().collect::<Vec<_>>();
        let expected: Vec<bool> = logits
            .chunks(10)
            .zip(answers)
            .map(|(row, answer)| {
                let best = (0..10).max_by(|&a, &b| row[a].total_cmp(&row[b]));
                best == usize::try_from(answer).ok()
            })
            .collect();
        let correct = digits.correct(&model, &(images, labels)).unwrap();
        assert_eq!(
            correct.into_data().iter::<bool>().collect::<Vec<_>>(),
            expected
        );
    }
}
