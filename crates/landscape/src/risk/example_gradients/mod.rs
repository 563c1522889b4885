//! The gradients of single examples.

mod data;

use std::ops::Range;

use burn::module::Module;
use burn::tensor::Tensor;
use derivatives::{CapturedLoss, Examples, Workers, attempt};

use crate::batch::Batch;
use crate::error::Error;
use crate::risk::Objective;
use crate::vector::download;

/// Examples whose gradients are taken by one program: each costs its activations and P numbers.
const AT_ONCE: usize = 64;

/// The gradients of the loss terms of one batch.
#[derive(Debug, Clone)]
pub struct ExampleGradients {
    /// The gradients `gₙ` as rows, `[B, P]`.
    pub rows: Tensor<2>,
    /// Whether the examples touch each other, so that the terms were differentiated in the batch
    /// as it is; otherwise each was by itself.
    pub coupled: bool,
    /// Weight of each row: the gradient of the risk is the mean of weight times row over all
    /// examples. One, unless the risk weights its batches
    /// ([`Risk::with_weights`](crate::Risk::with_weights)).
    pub weight: f64,
}

/// Norms and squares of the gradients `gₙ` of the loss terms of all N examples.
#[derive(Debug, Clone, PartialEq)]
pub struct ExampleStatistics {
    /// Norms `‖gₙ‖` in the order of the data, `[N]`.
    pub norms: Vec<f64>,
    /// Sums of squares `Σₙ gₙᵢ²` for each coordinate i, `[P]`: with the gradient g of the mean,
    /// the variance of coordinate i over the examples is this over N, less `gᵢ²`. Where the
    /// risk weights its batches, each term has its [`weight`](ExampleGradients::weight).
    pub sum_of_squares: Vec<f64>,
    /// Whether the examples of some batch touch each other.
    pub coupled: bool,
}

impl<M: Module, B: Batch> Objective<M, B> {
    /// Calls `each` with the gradients of the loss terms of each batch at the origin, one row for
    /// each of its B examples, in the order of the data.
    ///
    /// A term's gradient comes from the loss captured on a batch of the one example, all examples
    /// of a batch side by side. That holds where examples do not touch each other; it is checked on
    /// every batch that the mean of the rows is the batch's gradient, to half the digits of the
    /// float type. Where it is not (BatchNorm with the statistics of the batch, or a closure that
    /// takes a number from its whole batch) the terms are differentiated in the batch as it is,
    /// through what couples them; then the risk must tell outputs and loss apart
    /// ([`Risk::of`](crate::Risk::of)) and the outputs have a row for each example.
    ///
    /// Cost: two gradients of the data, and as many as there are examples in a batch where they are
    /// coupled. Memory: some times `[B, P]`.
    ///
    /// # Errors
    /// A loss that cannot be captured, coupled examples of a risk that does not tell outputs and
    /// loss apart, an error of `each`.
    pub fn example_gradients(
        &self,
        mut each: impl FnMut(ExampleGradients) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let workers = Workers::default();
        let mut coupled = false;
        self.risk().batches().for_each(|index, batch| {
            let whole = self.record(batch.clone())?;
            if index == 0 {
                self.check_captured(&batch, &whole, false)?;
            }
            let weight = self.weight_of_each(&batch)?;
            if !coupled && let Some(rows) = self.independent(&whole, &batch, &workers)? {
                return each(ExampleGradients {
                    rows,
                    coupled,
                    weight,
                });
            }
            // What couples the examples of one batch couples those of the next.
            coupled = true;
            let rows = self.coupled(&whole, batch.examples())?;
            each(ExampleGradients {
                rows,
                coupled,
                weight,
            })
        })
    }

    /// Returns the norms and the squares of the gradients of the loss terms at the origin; see
    /// [`example_gradients`](Self::example_gradients).
    ///
    /// ```
    /// use burn::nn::{Linear, LinearConfig};
    /// use burn::tensor::{Device, Tensor};
    /// use landscape::{Objective, Risk};
    ///
    /// let device = Device::flex();
    /// let model = LinearConfig::new(1, 1).with_bias(false).init(&device);
    /// let batch = Tensor::<2>::from_floats([[1.0], [-2.0], [3.0]], &device);
    /// // The loss terms w x have the gradients x.
    /// let risk = Risk::mean([batch], |model: &Linear, x: &Tensor<2>| {
    ///     model.forward(x.clone()).mean()
    /// });
    /// let statistics = Objective::at(&model, &risk)?.example_statistics()?;
    /// assert_eq!(statistics.norms, [1.0, 2.0, 3.0]);
    /// assert_eq!(statistics.sum_of_squares, [14.0]);
    /// # Ok::<(), landscape::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`example_gradients`](Self::example_gradients).
    pub fn example_statistics(&self) -> Result<ExampleStatistics, Error> {
        let dim = self.space().dim();
        let mut norms = Vec::new();
        let mut sum_of_squares = vec![0.0; dim];
        let mut coupled = false;
        self.example_gradients(|of_batch| {
            coupled = of_batch.coupled;
            let count = of_batch.rows.dims()[0];
            let squares = of_batch.rows.square();
            let of_rows = download(&squares.clone().sum_dim(1).reshape([count]));
            norms.extend(of_rows.into_iter().map(f64::sqrt));
            let of_columns = download(&squares.sum_dim(0).reshape([dim]));
            for (sum, square) in sum_of_squares.iter_mut().zip(of_columns) {
                *sum += of_batch.weight * square;
            }
            Ok(())
        })?;
        Ok(ExampleStatistics {
            norms,
            sum_of_squares,
            coupled,
        })
    }

    /// Returns the gradients of the examples, each by itself, if their mean is the gradient of the
    /// batch.
    fn independent(
        &self,
        whole: &CapturedLoss,
        batch: &B,
        workers: &Workers,
    ) -> Result<Option<Tensor<2>>, Error> {
        let count = batch.examples();
        let counts = data::counting(batch);
        if data::has_examples_inside(batch) {
            return Ok(None);
        }
        let Ok(one) = self.capture_example(batch, &counts) else {
            return Ok(None);
        };
        // Of a loss that uses none of what was taken apart, each example would be the whole batch.
        if !one.depends_on_data() {
            return Ok(None);
        }
        let chunk = count.div_ceil(count.div_ceil(AT_ONCE));
        let parts: Vec<Range<usize>> = (0..count)
            .step_by(chunk)
            .map(|start| start..(start + chunk).min(count))
            .collect();
        let data: Vec<Examples> = parts
            .into_iter()
            .map(|part| data::collected(self.prepared(batch, &counts, part), &counts))
            .collect();
        let origin = self.origin();
        // A tensor that is only by chance as long as the batch (class weights of as many classes)
        // has been taken apart too, and an index may point outside its part.
        let rows = workers.map(&data, |examples| {
            attempt(|| one.gradients_over(origin, examples).ok())
        });
        let rows: Option<Vec<_>> = rows.into_iter().map(|rows| rows.ok().flatten()).collect();
        let Some(rows) = rows else {
            return Ok(None);
        };
        let rows = Tensor::cat(rows, 0);
        let (_, gradient) = whole.gradient(self.origin())?;
        Ok(self.has_mean(&rows, &gradient).then_some(rows))
    }

    /// Returns the gradients of the examples through what they share.
    fn coupled(&self, whole: &CapturedLoss, examples: usize) -> Result<Tensor<2>, Error> {
        check_rows(whole, examples)?;
        Ok(whole.per_example_gradients(self.origin())?)
    }

    /// Returns the loss on a batch of the first example alone, its data marked.
    fn capture_example(
        &self,
        batch: &B,
        counts: &[bool],
    ) -> Result<CapturedLoss, derivatives::Error> {
        let first = self.prepared(batch, counts, 0..1);
        self.capture().marked_loss(|model, device, marks| {
            let batch = data::marked(first.on_device(device), counts, marks);
            self.risk().evaluate(model, &batch, marks)
        })
    }

    /// Returns some examples of a batch, on the device and in the float type of the model.
    fn prepared(&self, batch: &B, counts: &[bool], range: Range<usize>) -> B {
        data::rows(batch.clone(), counts, range)
            .on_device(&self.space().domain.device)
            .to_dtype(self.float_type())
    }

    /// Returns whether the mean of `rows` is `gradient`, compared with the size of the rows, to
    /// half the digits of the float type: sums in another order lose far less, coupled examples far
    /// more.
    fn has_mean(&self, rows: &Tensor<2>, gradient: &Tensor<1>) -> bool {
        let [count, dim] = rows.dims();
        let mean = download(&rows.clone().mean_dim(0).reshape([dim]));
        let squares = download(&rows.clone().square().sum_dim(1).reshape([count]));
        let gap: f64 = mean
            .iter()
            .zip(download(gradient))
            .map(|(a, b)| (a - b).powi(2))
            .sum();
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 examples")]
        let size = squares.iter().sum::<f64>() / count as f64;
        gap <= self.space().domain.unit_roundoff() * size
    }
}

/// Checks that the marked outputs have a row for each example.
///
/// # Errors
/// [`Error::OutputsNotApart`] and [`Error::OutputRows`].
pub(crate) fn check_rows(loss: &CapturedLoss, examples: usize) -> Result<(), Error> {
    let rows = loss.output_shape().ok_or(Error::OutputsNotApart)?[0];
    if rows == examples {
        Ok(())
    } else {
        Err(Error::OutputRows { rows, examples })
    }
}
