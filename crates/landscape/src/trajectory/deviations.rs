//! The deviations of checkpoints from a centre, and their inner products.

use burn::module::Module;

use super::Centre;
use super::stream::Stream;
use crate::error::Error;
use crate::vector::{add_scaled, dot};

/// The deviations `xᵢ = θᵢ − c` of checkpoints from a centre c: kept, if as many vectors may be, or
/// loaded when they are needed.
pub(super) struct Deviations<F> {
    pub(super) stream: Stream<F>,
    pub(super) centre: Vec<f64>,
    /// All of them, or none.
    pub(super) kept: Vec<Vec<f64>>,
    /// Vectors that may be held in a block.
    block: usize,
}

impl<F> Deviations<F> {
    /// Finds the centre, and holds all deviations if `keep` says so, else `block` of them at a
    /// time.
    ///
    /// # Errors
    /// [`Error::Checkpoint`].
    #[expect(clippy::cast_precision_loss, reason = "far below 2⁵³ checkpoints")]
    pub(super) fn new<M: Module>(
        mut stream: Stream<F>,
        about: Centre,
        keep: bool,
        block: usize,
    ) -> Result<Self, Error>
    where
        F: FnMut(usize) -> Result<M, Error>,
    {
        let count = stream.count;
        let mut kept = Vec::new();
        if keep {
            kept.reserve(count);
            for number in 0..count {
                kept.push(stream.theta(number)?);
            }
        }
        let centre = match (about, kept.last()) {
            (Centre::Last, Some(last)) => last.clone(),
            (Centre::Last, None) => stream.theta(count - 1)?,
            (Centre::Mean, _) => {
                let mut sum = vec![0.0; stream.space.dim()];
                for number in 0..count {
                    match kept.get(number) {
                        Some(theta) => add_scaled(&mut sum, 1.0, theta),
                        None => add_scaled(&mut sum, 1.0, &stream.theta(number)?),
                    }
                }
                sum.iter_mut().for_each(|entry| *entry /= count as f64);
                sum
            }
        };
        for theta in &mut kept {
            add_scaled(theta, -1.0, &centre);
        }
        Ok(Self {
            stream,
            centre,
            kept,
            block,
        })
    }

    /// Hands the deviations from number `from` on to `each`, in order.
    ///
    /// # Errors
    /// [`Error::Checkpoint`].
    pub(super) fn each<M: Module>(
        &mut self,
        from: usize,
        mut each: impl FnMut(usize, &[f64]),
    ) -> Result<(), Error>
    where
        F: FnMut(usize) -> Result<M, Error>,
    {
        for number in from..self.stream.count {
            if let Some(kept) = self.kept.get(number) {
                each(number, kept);
                continue;
            }
            let mut deviation = self.stream.theta(number)?;
            add_scaled(&mut deviation, -1.0, &self.centre);
            each(number, &deviation);
        }
        Ok(())
    }

    /// Returns the symmetric matrix `⟨xᵢ, xⱼ⟩`, row by row, from blocks of a bounded number of
    /// vectors: those of a block are held while all later ones pass by.
    ///
    /// # Errors
    /// [`Error::Checkpoint`].
    pub(super) fn inner_products<M: Module>(&mut self) -> Result<Vec<f64>, Error>
    where
        F: FnMut(usize) -> Result<M, Error>,
    {
        let count = self.stream.count;
        let mut products = vec![0.0; count * count];
        let mut set = |i: usize, j: usize, product: f64| {
            products[i * count + j] = product;
            products[j * count + i] = product;
        };
        if !self.kept.is_empty() {
            for (i, x) in self.kept.iter().enumerate() {
                for (j, y) in self.kept[..=i].iter().enumerate() {
                    set(i, j, dot(x, y));
                }
            }
            return Ok(products);
        }
        for start in (0..count).step_by(self.block) {
            let end = count.min(start + self.block);
            let mut held: Vec<Vec<f64>> = Vec::with_capacity(end - start);
            self.each(start, |i, x| {
                for (j, y) in held.iter().enumerate() {
                    set(i, start + j, dot(x, y));
                }
                if i < end {
                    set(i, i, dot(x, x));
                    held.push(x.to_vec());
                }
            })?;
        }
        Ok(products)
    }
}
